/* What `mneme sweep` reports: a row per series and label, over all seeds and settings. */

#include <stdlib.h>
#include <string.h>

#include "compare/report.h"

/* "0.213", with the range behind it when there are several seeds; "–" without any. */
static void add_range(struct table *table, const struct row *row, struct seed_range range,
                      int digits, const char *unit) {
    if (range.n == 0) {
        table_add(table, "–");
    } else if (row->n_variants == 1) {
        table_add(table, "%.*f%s", digits, range.mean, unit);
    } else {
        table_add(table, "%.*f%s [%.*f, %.*f]%s", digits, range.mean, unit, digits, range.least,
                  digits, range.most, range.n < row->n_variants ? " *" : "");
    }
}

static void add_head(const struct result *result, struct table *table) {
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    table->n_columns = 6 + result->plan->n_levels + n + (result->n_diverged > 0);
    table_add(table, "series");
    table_add(table, "best new F1");
    table_add(table, "lost there");
    for (size_t i = 0; i < result->plan->n_levels; i++) {
        table_add(table, "lost at %.3g", result->plan->levels[i]);
    }
    table_add(table, "lost at %.3f (all)", result->level);
    table_add(table, "skill NLL");
    for (size_t i = 0; i < n; i++) table_add(table, "%s", measures[i]->title);
    table_add(table, "ms a %.*s", (int)strlen(result->unit) - 1, result->unit);
    if (result->n_diverged > 0) table_add(table, "diverged");
}

/* The row's name; malloc'ed, NULL without memory. */
static char *row_name(const struct result *result, const struct row *row) {
    struct text text = {0};
    row_add_name(&text, row, result->plan->series[row->series].name);
    return text_take(&text);
}

static void add_milliseconds(struct table *table, struct seed_range seconds) {
    if (seconds.n == 0) {
        table_add(table, "–");
    } else {
        table_add(table, "%.1f", 1000.0 * seconds.mean);
    }
}

static void add_n_diverged(const struct result *result, const struct row *row,
                           struct table *table) {
    size_t n = row_n_diverged(result, row);
    size_t n_cells = result->plan->series[row->series].n_cells * row->n_variants;
    if (n == 0) {
        table_add(table, "%s", "");
    } else {
        table_add(table, "%zu of %zu", n, n_cells);
    }
}

static void add_row(const struct result *result, const struct row *row, struct table *table) {
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    char *name = row_name(result, row);
    table->failed |= name == NULL;
    table_add(table, "%s", name == NULL ? "" : name);
    free(name);
    add_range(table, row, row_best_new(result, row), 3, "");
    add_range(table, row, row_lost_at_best(result, row), 1, " %");
    for (size_t i = 0; i < result->plan->n_levels; i++) {
        add_range(table, row, row_lost_at(result, row, result->plan->levels[i]), 1, " %");
    }
    add_range(table, row, row_lost_at(result, row, result->level), 1, " %");
    add_range(table, row, row_best_nll(result, row), 3, "");
    for (size_t i = 0; i < n; i++) {
        add_range(table, row, row_best_measure(result, row, measures[i]), 3, "");
    }
    add_milliseconds(table, row_seconds(result, row));
    if (result->n_diverged > 0) add_n_diverged(result, row, table);
}

static void add_table(const struct result *result, const struct row *rows, size_t n,
                      struct table *table) {
    add_head(result, table);
    for (size_t i = 0; i < n; i++) add_row(result, &rows[i], table);
}

static struct seed_range base_known(const struct result *result) {
    struct seed_range range = {0};
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        const struct scores *base = &result->base[v].scores;
        if (!base->without_known) seed_range_add(&range, base->known_f1);
    }
    return range;
}

static struct seed_range base_skill(const struct result *result) {
    struct seed_range range = {0};
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        const struct scores *base = &result->base[v].scores;
        if (!base->without_skill) seed_range_add(&range, base->skill_nll);
    }
    return range;
}

static struct seed_range base_measure(const struct result *result, const struct measure *measure) {
    struct seed_range range = {0};
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        const struct scores *base = &result->base[v].scores;
        if (measure_is_there(measure, base)) seed_range_add(&range, measure_value(measure, base));
    }
    return range;
}

/* "known F1 0.833 [0.8, 0.9], skill NLL 3.493, …" */
static void add_bases(const struct result *result, struct text *text) {
    struct seed_range known = base_known(result), skill = base_skill(result);
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    const char *before = "";
    if (known.n > 0) text_add(text, "known F1 %.3f", known.mean);
    if (known.n > 1) text_add(text, " [%.3f, %.3f]", known.least, known.most);
    if (known.n > 0) before = ", ";
    if (skill.n > 0) text_add(text, "%sskill NLL %.3f", before, skill.mean);
    if (skill.n > 0) before = ", ";
    for (size_t i = 0; i < n; i++) {
        struct seed_range range = base_measure(result, measures[i]);
        if (range.n == 0) continue;
        text_add(text, "%s%s %.3f", before, measures[i]->title, range.mean);
        before = ", ";
    }
}

static void add_what(const struct result *result, struct text *text) {
    text_add(text,
             "%s: %zu %s in a row, then %zu new and %zu known questions; %zu finetunings from each "
             "of %zu base model%s\nbase: ",
             result->plan->name, result->n_lessons, result->unit, result->n_new, result->n_known,
             plan_n_cells(result->plan), result->plan->n_variants,
             result->plan->n_variants == 1 ? "" : "s");
    add_bases(result, text);
    text_add(text, "\n\n");
}

/* Orders rows by what they lose at the level. */
struct loss {
    size_t row;
    double lost;
};

static int by_loss(const void *a, const void *b) {
    const struct loss *x = a, *y = b;
    if (x->lost != y->lost) return x->lost < y->lost ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* More than these are not named one by one. */
enum { MOST_NAMED = 6, MOST_DIVERGED = 20 };

/* Of the rows that have any. */
static size_t list_losses(const struct result *result, const struct row *rows, size_t n,
                          struct loss *losses) {
    size_t n_losses = 0;
    for (size_t i = 0; i < n; i++) {
        struct seed_range lost = row_lost_at(result, &rows[i], result->level);
        if (lost.n > 0) losses[n_losses++] = (struct loss){i, lost.mean};
    }
    return n_losses;
}

/* "at new F1 0.213, which all reach, the known F1 falls by 0.4 % (SMF), …"; of many rows "by 0.4 %
 * (SMF) to …, of 15 series" */
static void add_finding(const struct result *result, const struct row *rows, size_t n,
                        struct text *text) {
    struct loss *losses = calloc(n + 1, sizeof *losses);
    text->failed |= losses == NULL;
    if (losses == NULL) return;
    n = list_losses(result, rows, n, losses);
    if (n == 0) {
        text_add(text, "finding: %s, there is nothing to compare\n",
                 base_known(result).n == 0 ? "no known questions were asked"
                                           : "every finetuning diverged");
        free(losses);
        return;
    }
    qsort(losses, n, sizeof *losses, by_loss);
    text_add(text, "finding: at new F1 %.3f, which all reach, the known F1 falls by",
             result->level);
    size_t step = n > MOST_NAMED ? n - 1 : 1;
    for (size_t i = 0; i < n; i += step) {
        const struct row *row = &rows[losses[i].row];
        if (i > 0) text_add(text, "%s", step > 1 ? " to" : i + 1 < n ? "," : " and");
        text_add(text, " %.1f %% (", losses[i].lost);
        row_add_name(text, row, result->plan->series[row->series].name);
        text_add(text, ")");
    }
    if (step > 1) text_add(text, ", of %zu series", n);
    text_add(text, "\n");
    free(losses);
}

static void add_digest(const struct result *result, struct text *text) {
    const bool canonical = result->mark[0] == '\0';
    if (!canonical) {
        text_add(text, "NOT CANONICAL: the matrix products are by %s\n", result->mark);
    }
    text_add(text, "SHA-256 of all scores and models%s\n  %s\n",
             canonical ? " (the same on every CPU and thread count)" : "", result->digest.hex);
}

/* A line per cell that diverged, but for a crowd. */
static void add_divergences(const struct result *result, struct text *text) {
    size_t named = 0;
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        for (size_t s = 0; s < result->plan->n_series; s++) {
            const struct plan_series *series = &result->plan->series[s];
            const char *folder = result->plan->variants[v].folder;
            for (size_t c = 0; c < series->n_cells; c++) {
                const struct scored_run *run = &result->outcomes[v][s].cells[c].run;
                if (run->divergence.step == 0 || named++ >= MOST_DIVERGED) continue;
                text_add(text, "%s%s%s, %s, ", series->name, folder[0] == '\0' ? "" : ", ", folder,
                         series->cells[c].label);
                result_add_divergence(text, &run->divergence);
                text_add(text, "\n");
            }
        }
    }
    if (named > MOST_DIVERGED) text_add(text, "%zu more diverged\n", named - MOST_DIVERGED);
}

/* Base, table and finding; the table printed by `print`. */
static void add_comparison(const struct result *result,
                           void (*print)(const struct table *, struct text *), struct text *text) {
    struct table table = {0};
    size_t n;
    struct row *rows = result_rows(result, &n);
    text->failed |= rows == NULL;
    if (rows == NULL) return;
    add_table(result, rows, n, &table);
    add_what(result, text);
    print(&table, text);
    text_add(text,
             "\nlost: fall of the known F1, in percent of the base's, read off the line through a "
             "series' best\ncells and the base at that new F1; skill NLL: of the cell with the "
             "best new F1\n%s\n",
             rows[0].n_variants > 1
                 ? "mean [least, most] over seeds; *: not every seed gets there\n"
                 : "");
    add_finding(result, rows, n, text);
    add_divergences(result, text);
    report_add_left_out(result, text);
    table_free(&table);
    free(rows);
}

static void add_text(const struct result *result, struct text *text) {
    add_comparison(result, table_print, text);
    text_add(text, "\n");
    add_digest(result, text);
}

static void add_front_cell(const struct result *result, size_t v, size_t s, size_t c,
                           struct table *table) {
    const struct scores *scores = &result->outcomes[v][s].cells[c].run.scores;
    const struct plan_series *series = &result->plan->series[s];
    const char *folder = result->plan->variants[v].folder;
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    table_add(table, "%s%s%s", series->name, folder[0] == '\0' ? "" : ", ", folder);
    table_add(table, "%s", series->cells[c].label);
    table_add(table, "%.3f", scores->new_f1);
    report_add_score(table, !scores->without_known, scores->known_f1);
    if (scores->without_known) {
        table_add(table, "–");
    } else {
        table_add(table, "%.1f %%", result_lost(result, v, scores->known_f1));
    }
    report_add_nll(table, scores);
    report_add_measures(table, n, measures, scores);
}

/* The cells on the front of each series in each variant. */
static void add_fronts(const struct result *result, struct text *text) {
    static const char *const head[] = {"series",   "settings",   "new F1",
                                       "known F1", "known lost", "skill NLL"};
    enum { N_HEAD = sizeof head / sizeof *head };
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    struct table table = {.n_columns = N_HEAD + n};
    for (size_t i = 0; i < N_HEAD; i++) table_add(&table, "%s", head[i]);
    for (size_t i = 0; i < n; i++) table_add(&table, "%s", measures[i]->title);
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        for (size_t s = 0; s < result->plan->n_series; s++) {
            for (size_t c = 0; c < result->plan->series[s].n_cells; c++) {
                if (result_on_front(result, v, s, c)) add_front_cell(result, v, s, c, &table);
            }
        }
    }
    table_print_markdown(&table, text);
    table_free(&table);
}

static void add_markdown(const struct result *result, struct text *text) {
    add_comparison(result, table_print_markdown, text);
    text_add(text, "\n![known F1 against new F1](sweep.png)\n\n## Pareto fronts\n\n");
    add_fronts(result, text);
    text_add(text, "\n```\n");
    add_digest(result, text);
    text_add(text, "```\n");
}

/* new_f1 … skill_nll and the measures, of a base or cell, each with a comma before it; empty where
 * there is none. */
static void add_csv_scores(const struct result *result, size_t v, const struct scores *scores,
                           struct text *text) {
    const bool new = !scores->diverged && !scores->without_new;
    const bool known = !scores->diverged && !scores->without_known;
    report_add_csv(text, new, scores->new_f1);
    report_add_csv(text, new, scores->new_em);
    report_add_csv(text, known, scores->known_f1);
    report_add_csv(text, known, scores->known_em);
    report_add_csv(text, known, known ? result_lost(result, v, scores->known_f1) : 0.0);
    report_add_csv_held_out(text, result, scores);
}

static void add_csv_cells(const struct result *result, size_t v, size_t s, struct text *text) {
    const struct plan_series *series = &result->plan->series[s];
    for (size_t c = 0; c < series->n_cells; c++) {
        const struct scored_run *run = &result->outcomes[v][s].cells[c].run;
        text_add(text, "%s,\"%s\",\"%s\"", result->plan->variants[v].folder, series->name,
                 series->cells[c].label);
        add_csv_scores(result, v, &run->scores, text);
        text_add(text, ",%.3f,%d,%s,", run->seconds, result_on_front(result, v, s, c),
                 run->digest.hex);
        if (run->divergence.step > 0) result_add_divergence(text, &run->divergence);
        text_add(text, "\n");
    }
}

/* One line per cell. */
static void add_csv(const struct result *result, struct text *text) {
    text_add(text, "folder,series,settings,new_f1,new_em,known_f1,known_em,known_lost_percent");
    report_add_csv_names(text, result);
    text_add(text, ",seconds,front,digest,diverged\n");
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        text_add(text, "%s,base,", result->plan->variants[v].folder);
        add_csv_scores(result, v, &result->base[v].scores, text);
        text_add(text, ",,,%s,\n", result->base[v].digest.hex);
        for (size_t s = 0; s < result->plan->n_series; s++) add_csv_cells(result, v, s, text);
    }
}

static json_t *range_to_json(struct seed_range range) {
    if (range.n == 0) return json_null();
    return json_pack("{s:f, s:f, s:f, s:I}", "mean", range.mean, "least", range.least, "most",
                     range.most, "seeds", (json_int_t)range.n);
}

/* What the cell that learned most has of the measures, by their keys; NULL without measures. */
static json_t *measures_to_json(const struct result *result, const struct row *row) {
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    json_t *o = n == 0 ? NULL : json_object();
    for (size_t i = 0; i < n; i++) {
        json_object_set_new(o, measures[i]->key,
                            range_to_json(row_best_measure(result, row, measures[i])));
    }
    return o;
}

static json_t *row_to_json(const struct result *result, const struct row *row) {
    json_t *levels = json_array();
    for (size_t i = 0; i < result->plan->n_levels; i++) {
        double level = result->plan->levels[i];
        json_array_append_new(levels, json_pack("{s:f, s:o}", "new_f1", level, "known_lost_percent",
                                                range_to_json(row_lost_at(result, row, level))));
    }
    char *name = row_name(result, row);
    json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "name", name, "best_new_f1",
                          range_to_json(row_best_new(result, row)), "known_lost_percent_at_best",
                          range_to_json(row_lost_at_best(result, row)),
                          "known_lost_percent_at_common_level",
                          range_to_json(row_lost_at(result, row, result->level)), "levels", levels,
                          "seconds_per_lesson", range_to_json(row_seconds(result, row)));
    json_t *measures = measures_to_json(result, row);
    if (measures != NULL) json_object_set_new(o, "measures_at_best", measures);
    free(name);
    return o;
}

static json_t *cell_to_json(const struct result *result, size_t v, size_t s, size_t c) {
    const struct plan_series *series = &result->plan->series[s];
    const struct cell *cell = &result->outcomes[v][s].cells[c];
    json_t *settings = json_array();
    for (size_t i = 0; i < series->cells[c].n_overrides; i++) {
        json_array_append_new(settings, json_string(series->cells[c].overrides[i]));
    }
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:o}", "run_folder", result->plan->variants[v].folder,
                  "series", series->name, "method", series->method->name, "label",
                  series->cells[c].label, "settings", settings);
    scores_to_json(&cell->run.scores, o);
    json_object_set_new(o, "known_lost_percent",
                        cell->run.divergence.step > 0 || cell->run.scores.without_known
                            ? json_null()
                            : json_real(result_lost(result, v, cell->run.scores.known_f1)));
    json_object_set_new(o, "front", json_boolean(result_on_front(result, v, s, c)));
    scored_run_add_json(&cell->run, o);
    json_object_set_new(o, "folder", json_string(cell->folder.text));
    json_object_set_new(o, "digest", scored_run_digest(&cell->run));
    return o;
}

static json_t *base_to_json(const struct result *result, size_t v) {
    json_t *base = json_pack("{s:s}", "run_folder", result->plan->variants[v].folder);
    scores_to_json(&result->base[v].scores, base);
    report_slots_to_json(&result->base[v], base);
    json_object_set_new(base, "digest", json_string(result->base[v].digest.hex));
    return base;
}

static void add_json(const struct result *result, json_t *root) {
    json_t *bases = json_array(), *comparison = json_array(), *cells = json_array();
    size_t n;
    struct row *rows = result_rows(result, &n);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(comparison, row_to_json(result, &rows[i]));
    }
    free(rows);
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        json_array_append_new(bases, base_to_json(result, v));
        for (size_t s = 0; s < result->plan->n_series; s++) {
            for (size_t c = 0; c < result->plan->series[s].n_cells; c++) {
                json_array_append_new(cells, cell_to_json(result, v, s, c));
            }
        }
    }
    json_object_update_new(
        root, json_pack("{s:s, s:I, s:o, s:f, s:o, s:o}", "result", result->digest.hex, "lessons",
                        (json_int_t)result->n_lessons, "bases", bases, "common_level",
                        result->level, "rows", comparison, "cells", cells));
}

const struct report_form report_form_sweep = {.report = "sweep",
                                              .picture = "sweep",
                                              .add_text = add_text,
                                              .add_markdown = add_markdown,
                                              .add_csv = add_csv,
                                              .add_json = add_json};
