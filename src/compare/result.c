#include "compare/result.h"

#include <stdlib.h>
#include <string.h>

static size_t n_cells(const struct result *result, size_t series) {
    return result->plan->series[series].n_cells;
}

mneme_status result_open(struct result *result, const struct plan *plan, mneme_error *error) {
    *result = (struct result){.plan = plan};
    for (size_t v = 0; v < plan->n_variants; v++) {
        for (size_t s = 0; s < plan->n_series; s++) {
            struct outcome *outcome = &result->outcomes[v][s];
            outcome->cells = calloc(plan->series[s].n_cells, sizeof *outcome->cells);
            outcome->points = calloc(plan->series[s].n_cells, sizeof *outcome->points);
            if (outcome->cells == NULL || outcome->points == NULL) {
                return error_set_memory(error, "the cells");
            }
        }
    }
    return MNEME_OK;
}

void result_close(struct result *result) {
    for (size_t v = 0; v < PLAN_MAX_VARIANTS; v++) {
        for (size_t s = 0; s < PLAN_MAX_SERIES; s++) {
            free(result->outcomes[v][s].cells);
            free(result->outcomes[v][s].points);
        }
    }
    free(text_take(&result->left_out));
    text_list_free(&result->notes);
    *result = (struct result){0};
}

static bool learned_more(const struct point *p, const struct point *q) {
    return p->new_f1 > q->new_f1 || (p->new_f1 == q->new_f1 && p->known_f1 > q->known_f1);
}

static void compare_outcome(struct outcome *outcome, size_t n) {
    outcome->n_diverged = 0;
    outcome->best = n;
    for (size_t c = 0; c < n; c++) {
        const struct scored_run *run = &outcome->cells[c].run;
        struct point *p = &outcome->points[c];
        *p = (struct point){run->lr, run->scores.new_f1, run->scores.known_f1,
                            run->divergence.step > 0};
        outcome->n_diverged += p->absent;
        if (p->absent) continue;
        if (outcome->best == n || learned_more(p, &outcome->points[outcome->best])) {
            outcome->best = c;
        }
    }
}

bool result_has_points(const struct result *result, size_t variant, size_t series) {
    return result->outcomes[variant][series].n_diverged < n_cells(result, series);
}

void result_add_divergence(struct text *text, const struct divergence *divergence) {
    text_add(text, "diverged at step %zu: %s", divergence->step, divergence->cause);
}

static double best_new(const struct result *result, size_t variant, size_t series) {
    const struct outcome *outcome = &result->outcomes[variant][series];
    return outcome->points[outcome->best].new_f1;
}

void result_compare(struct result *result) {
    bool any = false;
    result->level = 1.0;
    result->n_diverged = 0;
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        for (size_t s = 0; s < result->plan->n_series; s++) {
            compare_outcome(&result->outcomes[v][s], n_cells(result, s));
            result->n_diverged += result->outcomes[v][s].n_diverged;
            if (!result_has_points(result, v, s)) continue;
            any = true;
            double best = best_new(result, v, s);
            if (best < result->level) result->level = best;
        }
    }
    if (!any) result->level = 0.0;
}

struct point result_base_point(const struct result *result, size_t variant) {
    const struct scores *base = &result->base[variant].scores;
    return (struct point){0.0, base->new_f1, base->known_f1, false};
}

bool result_on_front(const struct result *result, size_t variant, size_t series, size_t cell) {
    return front_has(result->outcomes[variant][series].points, n_cells(result, series), cell);
}

size_t result_chosen(const struct result *result, size_t variant, size_t series) {
    return front_choose(result->outcomes[variant][series].points, n_cells(result, series),
                        result->level);
}

double result_known_at(const struct result *result, size_t variant, size_t series, double level) {
    return front_known_at(result->outcomes[variant][series].points, n_cells(result, series),
                          result_base_point(result, variant), level);
}

double result_lost(const struct result *result, size_t variant, double known_f1) {
    return front_lost_percent(result->base[variant].scores.known_f1, known_f1);
}

void seed_range_add(struct seed_range *range, double value) {
    if (range->n == 0 || value < range->least) range->least = value;
    if (range->n == 0 || value > range->most) range->most = value;
    range->mean = (range->mean * (double)range->n + value) / (double)(range->n + 1);
    range->n++;
}

static const char *label_of(const struct result *result, size_t variant) {
    return result->plan->variants[variant].choice.label;
}

/* The first variant of the same label. */
static size_t first_alike(const struct result *result, size_t variant) {
    size_t first = 0;
    while (strcmp(label_of(result, first), label_of(result, variant)) != 0) first++;
    return first;
}

struct row *result_rows(const struct result *result, size_t *n) {
    const struct plan *plan = result->plan;
    struct row *rows = calloc(plan->n_variants * plan->n_series, sizeof *rows);
    *n = 0;
    if (rows == NULL) return NULL;
    for (size_t v = 0; v < plan->n_variants; v++) {
        if (first_alike(result, v) != v) continue;
        for (size_t s = 0; s < plan->n_series; s++) {
            struct row *row = &rows[(*n)++];
            *row = (struct row){.series = s, .label = label_of(result, v)};
            for (size_t w = v; w < plan->n_variants; w++) {
                if (first_alike(result, w) == v) row->variants[row->n_variants++] = w;
            }
        }
    }
    return rows;
}

void row_add_name(struct text *text, const struct row *row, const char *name) {
    text_add(text, "%s%s%s", name, row->label[0] == '\0' ? "" : ", ", row->label);
}

/* Whether there is anything of the known facts to lose. */
static bool has_known(const struct result *result, size_t variant, size_t series) {
    return result_has_points(result, variant, series) &&
           !result->base[variant].scores.without_known;
}

struct seed_range row_lost_at(const struct result *result, const struct row *row, double level) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        size_t v = row->variants[i];
        if (!has_known(result, v, row->series)) continue;
        if (best_new(result, v, row->series) < level) continue;
        double known = result_known_at(result, v, row->series, level);
        seed_range_add(&range, result_lost(result, v, known));
    }
    return range;
}

/* The scores of the cell that learned most. */
static const struct scores *best_scores(const struct result *result, size_t variant,
                                        const struct row *row) {
    const struct outcome *outcome = &result->outcomes[variant][row->series];
    return &outcome->cells[outcome->best].run.scores;
}

struct seed_range row_best_new(const struct result *result, const struct row *row) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        if (!result_has_points(result, row->variants[i], row->series)) continue;
        seed_range_add(&range, best_scores(result, row->variants[i], row)->new_f1);
    }
    return range;
}

struct seed_range row_best_nll(const struct result *result, const struct row *row) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        if (!result_has_points(result, row->variants[i], row->series)) continue;
        const struct scores *scores = best_scores(result, row->variants[i], row);
        if (!scores->without_skill) seed_range_add(&range, scores->skill_nll);
    }
    return range;
}

struct seed_range row_best_measure(const struct result *result, const struct row *row,
                                   const struct measure *measure) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        if (!result_has_points(result, row->variants[i], row->series)) continue;
        const struct scores *scores = best_scores(result, row->variants[i], row);
        if (measure_is_there(measure, scores)) {
            seed_range_add(&range, measure_value(measure, scores));
        }
    }
    return range;
}

struct seed_range row_lost_at_best(const struct result *result, const struct row *row) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        size_t v = row->variants[i];
        if (!has_known(result, v, row->series)) continue;
        seed_range_add(&range, result_lost(result, v, best_scores(result, v, row)->known_f1));
    }
    return range;
}

/* Seconds of the fastest cell that ended; negative if none did. */
static double fastest(const struct result *result, size_t variant, size_t series) {
    const struct cell *cells = result->outcomes[variant][series].cells;
    double least = -1.0;
    for (size_t c = 0; c < n_cells(result, series); c++) {
        const struct scored_run *run = &cells[c].run;
        if (run->divergence.step > 0) continue;
        if (least < 0.0 || run->seconds < least) least = run->seconds;
    }
    return least;
}

struct seed_range row_seconds(const struct result *result, const struct row *row) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        double least = fastest(result, row->variants[i], row->series);
        if (least < 0.0) continue;
        seed_range_add(&range, least / (double)(result->n_lessons > 0 ? result->n_lessons : 1));
    }
    return range;
}

size_t row_n_diverged(const struct result *result, const struct row *row) {
    size_t n = 0;
    for (size_t i = 0; i < row->n_variants; i++) {
        n += result->outcomes[row->variants[i]][row->series].n_diverged;
    }
    return n;
}
