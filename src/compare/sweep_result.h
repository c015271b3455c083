#ifndef COMPARE_SWEEP_RESULT_H
#define COMPARE_SWEEP_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "compare/selection.h"
#include "compare/sweep_cell.h"
#include "compare/sweep_plan.h"

/* What a sweep found, and how its series compare. */
struct sweep_result {
    const struct sweep_plan *plan;
    struct scored_run base[SWEEP_MAX_VARIANTS];
    struct sweep_cell *cells[SWEEP_MAX_VARIANTS][SWEEP_MAX_SERIES]; /* [n_cells] of the series */
    size_t n_lessons;                                               /* of the stream */
    const char *unit;                                               /* "facts", "chunks" */
    size_t n_known, n_new;                                          /* questions asked */
    char mark[64];        /* whose products, when they are not canonical; else "" */
    struct digest digest; /* over all scores and models: sweep_result_digest */
};

/* Memory for the cells of a plan. */
mneme_status sweep_result_open(struct sweep_result *result, const struct sweep_plan *plan,
                               mneme_error *error);
void sweep_result_close(struct sweep_result *result);

/* Mean and range of a figure over the seeds of a row; `n` counts the seeds that have it. */
struct seed_range {
    double mean, least, most;
    size_t n;
};

/* Takes one more seed's figure. */
void seed_range_add(struct seed_range *range, double value);

/* A row of the comparison: one series in the variants of one label, which differ by seed. */
struct sweep_row {
    size_t series;
    const char *label; /* of its variants */
    size_t variants[SWEEP_MAX_VARIANTS];
    size_t n_variants;
};

/* Lists the rows, variant labels first and within each the series; *n of them. malloc'ed. */
struct sweep_row *sweep_rows(const struct sweep_result *result, size_t *n);

/* "SMF", "SMF, n_keys 64" */
void sweep_row_name(const struct sweep_result *result, const struct sweep_row *row, char *name,
                    size_t size);

/* The cell's point (new F1, known F1); number `cell` of the row's series. */
struct sweep_point sweep_cell_point(const struct sweep_result *result, size_t variant,
                                    size_t series, size_t cell);
struct sweep_point sweep_base_point(const struct sweep_result *result, size_t variant);

/* Whether no other cell of the series in that variant is at least as good in both F1s and better in
 * one. */
bool sweep_on_front(const struct sweep_result *result, size_t variant, size_t series, size_t cell);

/* The highest new-fact F1 that every row reaches in each of its variants. */
double sweep_common_level(const struct sweep_result *result);

/* Known F1 lost at this new F1, in percent of the base's, read off the front (selection.h); seeds
 * that do not reach it are left out. */
struct seed_range sweep_lost_at(const struct sweep_result *result, const struct sweep_row *row,
                                double level);
/* The highest new F1, and what the cell that has it (sweep_best_cell) lost of the known F1, in
 * percent. */
struct seed_range sweep_best_new(const struct sweep_result *result, const struct sweep_row *row);
struct seed_range sweep_lost_at_best(const struct sweep_result *result,
                                     const struct sweep_row *row);
/* Finetuning seconds per lesson, of the fastest cell of each variant. */
struct seed_range sweep_seconds(const struct sweep_result *result, const struct sweep_row *row);

/* The cell that learned most; of equals the one that kept most. */
size_t sweep_best_cell(const struct sweep_result *result, size_t variant, size_t series);

/* SHA-256 over every variant, series and cell, their scores and the digests of their models. */
mneme_status sweep_result_digest(struct sweep_result *result, mneme_error *error);

#endif
