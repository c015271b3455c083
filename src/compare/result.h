#ifndef COMPARE_RESULT_H
#define COMPARE_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/text.h"
#include "compare/cell.h"
#include "compare/front.h"
#include "compare/measure.h"
#include "compare/plan.h"
#include "text/text_list.h"

/* What one series found in one variant. */
struct outcome {
    struct cell *cells;   /* [n_cells] of the series */
    struct point *points; /* [n_cells], by result_compare */
    size_t n_diverged;    /* cells without a point; all of them: the rest means nothing */
    size_t best;          /* the cell that learned most, of equals the one that kept most */
};

/* What the cells of a plan found, and how its series compare. */
struct result {
    const struct plan *plan;
    struct scored_run base[PLAN_MAX_VARIANTS];
    struct outcome outcomes[PLAN_MAX_VARIANTS][PLAN_MAX_SERIES];
    size_t n_lessons;      /* of the stream */
    const char *unit;      /* "facts", "chunks" */
    size_t n_known, n_new; /* questions asked */
    char mark[64];         /* whose products, when they are not canonical; else "" */
    double seconds;        /* of this call */
    double level;          /* the highest new F1 that every series reaches in each variant; of those
                              that have points */
    size_t n_diverged;     /* cells */
    struct text left_out;  /* folders of finetunings that are there and not in the plan, by ", " */
    size_t n_left_out;
    struct digest digest;   /* of all that was found: result_digest.h */
    struct text_list notes; /* what the variants' files hold otherwise than was asked for */
};

/* Memory for the cells of a plan. */
mneme_status result_open(struct result *result, const struct plan *plan, mneme_error *error);
void result_close(struct result *result);

/* After the cells were run: points, best cells, level. */
void result_compare(struct result *result);

struct point result_base_point(const struct result *result, size_t variant);

/* Whether any cell of the series has a point in that variant. */
bool result_has_points(const struct result *result, size_t variant, size_t series);

/* Adds "diverged at step 12: the loss is not finite". */
void result_add_divergence(struct text *text, const struct divergence *divergence);

/* Whether the cell is on the front of its series in that variant. */
bool result_on_front(const struct result *result, size_t variant, size_t series, size_t cell);

/* The cell that a series is represented by at the level (front.h); its number of cells when all
 * diverged. */
size_t result_chosen(const struct result *result, size_t variant, size_t series);

/* Known F1 at this new F1, read off the front; and how much of the base's is lost there, or by a
 * cell, in percent. */
double result_known_at(const struct result *result, size_t variant, size_t series, double level);
double result_lost(const struct result *result, size_t variant, double known_f1);

/* Mean and range of a figure over the seeds of a row; `n` counts the seeds that have it. */
struct seed_range {
    double mean, least, most;
    size_t n;
};

/* Takes one more seed's figure. */
void seed_range_add(struct seed_range *range, double value);

/* A row of the comparison: one series in the variants of one label, which differ by seed. */
struct row {
    size_t series;
    const char *label; /* of its variants */
    size_t variants[PLAN_MAX_VARIANTS];
    size_t n_variants;
};

/* Lists the rows, variant labels first and within each the series; *n of them. malloc'ed. */
struct row *result_rows(const struct result *result, size_t *n);

/* Adds "SMF", "SMF, n_keys 64": the series by `name` and the variants' label. */
void row_add_name(struct text *text, const struct row *row, const char *name);

/* Known F1 lost at this new F1, in percent of the base's, read off the front; seeds that do not
 * reach it are left out. */
struct seed_range row_lost_at(const struct result *result, const struct row *row, double level);
/* New F1 and skill NLL of the cell that learned most, and what it lost of the known F1. */
struct seed_range row_best_new(const struct result *result, const struct row *row);
struct seed_range row_best_nll(const struct result *result, const struct row *row);
/* The same of another measure, where it is there. */
struct seed_range row_best_measure(const struct result *result, const struct row *row,
                                   const struct measure *measure);
struct seed_range row_lost_at_best(const struct result *result, const struct row *row);
/* How many cells of the row diverged. */
size_t row_n_diverged(const struct result *result, const struct row *row);
/* Finetuning seconds per lesson, of the fastest cell of each variant. */
struct seed_range row_seconds(const struct result *result, const struct row *row);

#endif
