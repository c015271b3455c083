#include "compare/sweep_result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

mneme_status sweep_result_open(struct sweep_result *result, const struct sweep_plan *plan,
                               mneme_error *error) {
    *result = (struct sweep_result){.plan = plan};
    for (size_t v = 0; v < plan->n_variants; v++) {
        for (size_t s = 0; s < plan->n_series; s++) {
            result->cells[v][s] = calloc(plan->series[s].n_cells, sizeof *result->cells[v][s]);
            if (result->cells[v][s] == NULL) return error_set_memory(error, "the sweep");
        }
    }
    return MNEME_OK;
}

void sweep_result_close(struct sweep_result *result) {
    for (size_t v = 0; result->plan != NULL && v < result->plan->n_variants; v++) {
        for (size_t s = 0; s < result->plan->n_series; s++) {
            struct sweep_cell *cells = result->cells[v][s];
            for (size_t c = 0; cells != NULL && c < result->plan->series[s].n_cells; c++) {
                sweep_cell_free(&cells[c]);
            }
            free(cells);
        }
    }
    *result = (struct sweep_result){0};
}

static const char *label_of(const struct sweep_result *result, size_t variant) {
    return result->plan->variants[variant].choice.label;
}

/* The first variant of the same label. */
static size_t first_alike(const struct sweep_result *result, size_t variant) {
    size_t first = 0;
    while (strcmp(label_of(result, first), label_of(result, variant)) != 0) first++;
    return first;
}

struct sweep_row *sweep_rows(const struct sweep_result *result, size_t *n) {
    const struct sweep_plan *plan = result->plan;
    struct sweep_row *rows = calloc(plan->n_variants * plan->n_series, sizeof *rows);
    *n = 0;
    if (rows == NULL) return NULL;
    for (size_t v = 0; v < plan->n_variants; v++) {
        if (first_alike(result, v) != v) continue;
        for (size_t s = 0; s < plan->n_series; s++) {
            struct sweep_row *row = &rows[(*n)++];
            *row = (struct sweep_row){.series = s, .label = label_of(result, v)};
            for (size_t w = v; w < plan->n_variants; w++) {
                if (first_alike(result, w) == v) row->variants[row->n_variants++] = w;
            }
        }
    }
    return rows;
}

void sweep_row_name(const struct sweep_result *result, const struct sweep_row *row, char *name,
                    size_t size) {
    snprintf(name, size, "%s%s%s", result->plan->series[row->series].name,
             row->label[0] == '\0' ? "" : ", ", row->label);
}

struct sweep_point sweep_cell_point(const struct sweep_result *result, size_t variant,
                                    size_t series, size_t cell) {
    const struct scored_run *run = &result->cells[variant][series][cell].run;
    return (struct sweep_point){run->lr, run->scores.new_f1, run->scores.known_f1};
}

struct sweep_point sweep_base_point(const struct sweep_result *result, size_t variant) {
    const struct scores *base = &result->base[variant].scores;
    return (struct sweep_point){0.0, base->new_f1, base->known_f1};
}

bool sweep_on_front(const struct sweep_result *result, size_t variant, size_t series, size_t cell) {
    struct sweep_point p = sweep_cell_point(result, variant, series, cell);
    for (size_t c = 0; c < result->plan->series[series].n_cells; c++) {
        struct sweep_point q = sweep_cell_point(result, variant, series, c);
        if (q.new_f1 < p.new_f1 || q.known_f1 < p.known_f1) continue;
        if (q.new_f1 > p.new_f1 || q.known_f1 > p.known_f1) return false;
    }
    return true;
}

size_t sweep_best_cell(const struct sweep_result *result, size_t variant, size_t series) {
    size_t best = 0;
    for (size_t c = 1; c < result->plan->series[series].n_cells; c++) {
        struct sweep_point p = sweep_cell_point(result, variant, series, c);
        struct sweep_point q = sweep_cell_point(result, variant, series, best);
        if (p.new_f1 > q.new_f1 || (p.new_f1 == q.new_f1 && p.known_f1 > q.known_f1)) best = c;
    }
    return best;
}

static double best_new(const struct sweep_result *result, size_t variant, size_t series) {
    return sweep_cell_point(result, variant, series, sweep_best_cell(result, variant, series))
        .new_f1;
}

double sweep_common_level(const struct sweep_result *result) {
    double level = 1.0;
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        for (size_t s = 0; s < result->plan->n_series; s++) {
            double best = best_new(result, v, s);
            if (best < level) level = best;
        }
    }
    return level;
}

void seed_range_add(struct seed_range *range, double value) {
    if (range->n == 0 || value < range->least) range->least = value;
    if (range->n == 0 || value > range->most) range->most = value;
    range->mean = (range->mean * (double)range->n + value) / (double)(range->n + 1);
    range->n++;
}

static double lost(const struct sweep_result *result, size_t variant, double known_f1) {
    return selection_drop_percent(result->base[variant].scores.known_f1, known_f1);
}

struct seed_range sweep_lost_at(const struct sweep_result *result, const struct sweep_row *row,
                                double level) {
    struct seed_range range = {0};
    size_t n = result->plan->series[row->series].n_cells;
    struct sweep_point *points = calloc(n, sizeof *points);
    for (size_t i = 0; points != NULL && i < row->n_variants; i++) {
        size_t v = row->variants[i];
        if (best_new(result, v, row->series) < level) continue;
        for (size_t c = 0; c < n; c++) points[c] = sweep_cell_point(result, v, row->series, c);
        struct sweep sweep = {points, n};
        double known = selection_known_at(&sweep, sweep_base_point(result, v), level);
        seed_range_add(&range, lost(result, v, known));
    }
    free(points);
    return range;
}

struct seed_range sweep_best_new(const struct sweep_result *result, const struct sweep_row *row) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        seed_range_add(&range, best_new(result, row->variants[i], row->series));
    }
    return range;
}

struct seed_range sweep_lost_at_best(const struct sweep_result *result,
                                     const struct sweep_row *row) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        size_t v = row->variants[i], best = sweep_best_cell(result, v, row->series);
        seed_range_add(&range,
                       lost(result, v, sweep_cell_point(result, v, row->series, best).known_f1));
    }
    return range;
}

struct seed_range sweep_seconds(const struct sweep_result *result, const struct sweep_row *row) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        const struct sweep_cell *cells = result->cells[row->variants[i]][row->series];
        double least = cells[0].run.seconds;
        for (size_t c = 1; c < result->plan->series[row->series].n_cells; c++) {
            if (cells[c].run.seconds < least) least = cells[c].run.seconds;
        }
        seed_range_add(&range, least / (double)(result->n_lessons > 0 ? result->n_lessons : 1));
    }
    return range;
}

static void add_scored(struct text *text, const struct scored_run *run) {
    const struct scores *s = &run->scores;
    text_add(text, " %s %a %a %a %a %a\n", run->digest.hex, s->new_f1, s->new_em, s->known_f1,
             s->known_em, s->skill_nll);
}

mneme_status sweep_result_digest(struct sweep_result *result, mneme_error *error) {
    const struct sweep_plan *plan = result->plan;
    struct text text = {0};
    if (result->mark[0] != '\0') text_add(&text, "matmul %s\n", result->mark);
    for (size_t v = 0; v < plan->n_variants; v++) {
        text_add(&text, "base %s", plan->variants[v].folder);
        add_scored(&text, &result->base[v]);
        for (size_t s = 0; s < plan->n_series; s++) {
            for (size_t c = 0; c < plan->series[s].n_cells; c++) {
                text_add(&text, "%s: %s", plan->series[s].name, plan->series[s].cells[c].label);
                add_scored(&text, &result->cells[v][s][c].run);
            }
        }
    }
    char *bytes = text_take(&text);
    mneme_status status = bytes == NULL
                              ? error_set_memory(error, "a digest")
                              : digest_of_bytes(bytes, strlen(bytes), &result->digest, error);
    free(bytes);
    return status;
}
