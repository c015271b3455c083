/* What `mneme run` reports: a row per method, for the run that was chosen. */

#include <stdlib.h>

#include "compare/report.h"

#define COMPARISON_TEXT                                                                           \
    "The methods are compared at the same new-fact F1: the highest that all of them reach with "  \
    "some learning rate of their sweep. A method's chosen run is the one that keeps the highest " \
    "known-fact F1 among its runs that reach it; `at equal new F1` is read off the line through " \
    "its best runs (and the base) at exactly that level.\n"

static const struct scored_run *run_of(const struct result *result, size_t method, size_t cell) {
    return &result->outcomes[0][method].cells[cell].run;
}

static const struct scored_run *chosen_run(const struct result *result, size_t method) {
    return run_of(result, method, result_chosen(result, 0, method));
}

static double lost_at_level(const struct result *result, size_t method) {
    return result_lost(result, 0, result_known_at(result, 0, method, result->level));
}

/* A cell for each measure of the table. */
static void add_measures(const struct result *result, const struct scores *scores,
                         struct table *table) {
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, true, measures);
    report_add_measures(table, n, measures, scores);
}

static void add_base(const struct result *result, struct table *table) {
    const struct scores *base = &result->base[0].scores;
    table_add(table, "base");
    table_add(table, "%s", "");
    report_add_score(table, !base->without_new, base->new_f1);
    report_add_score(table, !base->without_known, base->known_f1);
    table_add(table, "%s", "");
    report_add_nll(table, base);
    add_measures(result, base, table);
    for (int i = 0; i < 3; i++) table_add(table, "%s", "");
}

/* What a run lost of the known facts, where it was asked any. */
static void add_lost(const struct result *result, const struct scored_run *run,
                     struct table *table) {
    if (run->divergence.step > 0 || run->scores.without_known) {
        table_add(table, "–");
    } else {
        table_add(table, "%.1f %%", result_lost(result, 0, run->scores.known_f1));
    }
}

static void add_method(const struct result *result, size_t method, struct table *table) {
    const struct scored_run *run = chosen_run(result, method);
    table_add(table, "%s", result->plan->series[method].name);
    table_add(table, "%.4g", run->lr);
    table_add(table, "%.3f", run->scores.new_f1);
    report_add_score(table, !run->scores.without_known, run->scores.known_f1);
    add_lost(result, run, table);
    report_add_nll(table, &run->scores);
    add_measures(result, &run->scores, table);
    if (run->scores.without_known) {
        table_add(table, "–");
    } else {
        table_add(table, "%.1f %%", lost_at_level(result, method));
    }
    table_add(table, "%zu", run->trainable_parameters);
    table_add(table, "%.1f", run->seconds);
}

/* A row for each cell that diverged; where is said below the table. */
static void add_diverged(const struct result *result, size_t method, struct table *table) {
    const struct measure *measures[MEASURES];
    size_t n_scores = 4 + report_measures(result, true, measures);
    for (size_t c = 0; c < result->plan->series[method].n_cells; c++) {
        const struct scored_run *run = run_of(result, method, c);
        if (run->divergence.step == 0) continue;
        table_add(table, "%s", result->plan->series[method].name);
        table_add(table, "%.4g", run->lr);
        for (size_t i = 0; i < n_scores; i++) table_add(table, "–");
        table_add(table, "diverged");
        table_add(table, "%zu", run->trainable_parameters);
        table_add(table, "%.1f", run->seconds);
    }
}

static void add_divergences(const struct result *result, struct text *text) {
    for (size_t m = 0; m < result->plan->n_series; m++) {
        for (size_t c = 0; c < result->plan->series[m].n_cells; c++) {
            const struct scored_run *run = run_of(result, m, c);
            if (run->divergence.step == 0) continue;
            text_add(text, "%s, lr %.4g, ", result->plan->series[m].name, run->lr);
            result_add_divergence(text, &run->divergence);
            text_add(text, "\n");
        }
    }
}

/* The columns before and after the measures, and how wide they are at least. */
struct column {
    const char *title;
    unsigned char width;
};

static const struct column before[] = {{"method", 6},   {"lr", 8},          {"new F1", 6},
                                       {"known F1", 8}, {"known lost", 11}, {"skill NLL", 9}};
static const struct column after[] = {{"lost at equal", 15}, {"trainable", 11}, {"seconds", 7}};

enum {
    N_BEFORE = sizeof before / sizeof *before,
    N_AFTER = sizeof after / sizeof *after,
    MOST_COLUMNS = N_BEFORE + MEASURES + N_AFTER
};

static void add_head(const struct result *result, struct table *table,
                     unsigned char widths[MOST_COLUMNS]) {
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, true, measures), used = 0;
    table->n_columns = N_BEFORE + n + N_AFTER;
    table->least_widths = widths;
    for (size_t i = 0; i < N_BEFORE; i++) {
        widths[used++] = before[i].width;
        table_add(table, "%s", before[i].title);
    }
    for (size_t i = 0; i < n; i++) {
        widths[used++] = 0;
        table_add(table, "%s", measures[i]->title);
    }
    for (size_t i = 0; i < N_AFTER; i++) {
        widths[used++] = after[i].width;
        table_add(table, "%s", after[i].title);
    }
}

static void add_rows(const struct result *result, struct table *table) {
    add_base(result, table);
    for (size_t m = 0; m < result->plan->n_series; m++) {
        if (result_has_points(result, 0, m)) add_method(result, m, table);
        add_diverged(result, m, table);
    }
}

static void add_digests(const struct result *result, struct text *text) {
    if (result->mark[0] == '\0') {
        text_add(text, "\nSHA-256 of the weights (the same on every CPU and thread count)\n");
    } else {
        text_add(text,
                 "\nNOT CANONICAL: the matrix products are by %s; other CPUs, thread counts and\n"
                 "versions give other digests, and none is compared with an expected one.\n",
                 result->mark);
    }
    text_add(text, "  %-6s %s\n", "base", result->base[0].digest.hex);
    for (size_t m = 0; m < result->plan->n_series; m++) {
        text_add(text, "  %-6s %s\n", result->plan->series[m].name,
                 result_has_points(result, 0, m) ? chosen_run(result, m)->digest.hex : "diverged");
    }
    text_add(text, "and of all that was found: trails, models, answers' scores\n  %-6s %s\n",
             "result", result->digest.hex);
}

static void add_level(const struct result *result, struct text *text) {
    if (plan_n_cells(result->plan) == 0) {
        text_add(text, "The recipe has nothing to teach: there is no finetuning.\n");
        return;
    }
    if (result->n_diverged == plan_n_cells(result->plan)) {
        text_add(text, "Every finetuning diverged: there is nothing to compare.\n");
        return;
    }
    bool all = true;
    for (size_t m = 0; m < result->plan->n_series; m++) all &= result_has_points(result, 0, m);
    text_add(text, "\"lost at equal\" compares the methods at new F1 %.3f, which all of them %s.\n",
             result->level, all ? "reach" : "that did not diverge reach");
}

static void add_text(const struct result *result, struct text *text) {
    struct table table = {0};
    unsigned char widths[MOST_COLUMNS];
    add_head(result, &table, widths);
    add_rows(result, &table);
    table_print(&table, text);
    table_free(&table);
    add_divergences(result, text);
    add_level(result, text);
    report_add_slots(&result->base[0], text);
    report_add_left_out(result, text);
    add_digests(result, text);
}

static void add_run(const struct result *result, const struct scored_run *run, const char *note,
                    struct table *table) {
    const bool there = run->divergence.step == 0;
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    table_add(table, "%.4g", run->lr);
    report_add_score(table, there, run->scores.new_f1);
    report_add_score(table, there, run->scores.new_em);
    report_add_score(table, there && !run->scores.without_known, run->scores.known_f1);
    add_lost(result, run, table);
    report_add_nll(table, &run->scores);
    report_add_measures(table, n, measures, &run->scores);
    table_add(table, "%s", note);
}

static void add_runs(const struct result *result, size_t method, struct text *text) {
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    struct table table = {.n_columns = 7 + n, .all_is_text = true};
    static const char *const head[] = {"lr",       "new F1",     "new EM",
                                       "known F1", "known lost", "skill NLL"};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) table_add(&table, "%s", head[i]);
    for (size_t i = 0; i < n; i++) table_add(&table, "%s", measures[i]->title);
    table_add(&table, "%s", "");
    for (size_t c = 0; c < result->plan->series[method].n_cells; c++) {
        const struct scored_run *run = run_of(result, method, c);
        struct text note = {0};
        text_add(&note, "%s", c == result_chosen(result, 0, method) ? "chosen" : "");
        if (run->divergence.step > 0) result_add_divergence(&note, &run->divergence);
        char *bytes = text_take(&note);
        table.failed |= bytes == NULL;
        add_run(result, run, bytes == NULL ? "" : bytes, &table);
        free(bytes);
    }
    text_add(text, "\n### %s\n\n", result->plan->series[method].name);
    table_print_markdown(&table, text);
    table_free(&table);
}

static void add_markdown(const struct result *result, struct text *text) {
    text_add(text, "```\n");
    add_text(result, text);
    text_add(text, "```\n\n%s\n![new against known F1](tradeoff.png)\n\n## Every run\n",
             COMPARISON_TEXT);
    const struct scores *base = &result->base[0].scores;
    if (base->has_answer_nll) {
        text_add(text, "\nThe base: new answers' NLL %.3f, known answers' NLL %.3f.\n",
                 base->new_nll, base->known_nll);
    }
    for (size_t m = 0; m < result->plan->n_series; m++) add_runs(result, m, text);
}

/* F1s, skill NLL and measures, each with a comma before it. */
static void add_csv_scores(const struct result *result, const struct scores *scores,
                           struct text *text) {
    report_add_csv(text, !scores->diverged && !scores->without_new, scores->new_f1);
    report_add_csv(text, !scores->diverged && !scores->without_known, scores->known_f1);
    report_add_csv_held_out(text, result, scores);
}

static void add_csv_run(const struct result *result, size_t method, size_t cell,
                        struct text *text) {
    const struct scored_run *run = run_of(result, method, cell);
    text_add(text, "%s,%.9g", result->plan->series[method].name, run->lr);
    add_csv_scores(result, &run->scores, text);
    if (run->divergence.step > 0) {
        text_add(text, ",0,");
        result_add_divergence(text, &run->divergence);
    } else {
        text_add(text, ",%d,", cell == result_chosen(result, 0, method));
    }
    text_add(text, "\n");
}

static void add_csv(const struct result *result, struct text *text) {
    text_add(text, "method,lr,new_f1,known_f1");
    report_add_csv_names(text, result);
    text_add(text, ",chosen,diverged\nbase,");
    add_csv_scores(result, &result->base[0].scores, text);
    text_add(text, ",,\n");
    for (size_t m = 0; m < result->plan->n_series; m++) {
        for (size_t c = 0; c < result->plan->series[m].n_cells; c++) {
            add_csv_run(result, m, c, text);
        }
    }
}

static json_t *run_to_json(const struct result *result, const struct scored_run *run) {
    json_t *o = json_object();
    json_object_set_new(o, "lr", json_real(run->lr));
    scores_to_json(&run->scores, o);
    json_object_set_new(o, "known_drop_percent",
                        run->divergence.step > 0 || run->scores.without_known
                            ? json_null()
                            : json_real(result_lost(result, 0, run->scores.known_f1)));
    scored_run_add_json(run, o);
    return o;
}

/* What the table says of a method: its chosen run, or its first when all diverged. */
static void add_chosen(const struct result *result, size_t method, json_t *o) {
    if (!result_has_points(result, 0, method)) {
        json_object_update_new(o, run_to_json(result, run_of(result, method, 0)));
        json_object_set_new(o, "lr", json_null());
        json_object_set_new(o, "at_equal_f1", json_null());
        return;
    }
    double known = result_known_at(result, 0, method, result->level);
    json_object_update_new(o, run_to_json(result, chosen_run(result, method)));
    if (result->base[0].scores.without_known) {
        json_object_set_new(o, "at_equal_f1", json_null());
        return;
    }
    json_object_set_new(o, "at_equal_f1",
                        json_pack("{s:f, s:f, s:f}", "new_f1", result->level, "known_f1", known,
                                  "known_drop_percent", result_lost(result, 0, known)));
}

static json_t *method_to_json(const struct result *result, size_t method) {
    json_t *o = json_object(), *sweep = json_array();
    json_object_set_new(o, "name", json_string(result->plan->series[method].name));
    add_chosen(result, method, o);
    for (size_t c = 0; c < result->plan->series[method].n_cells; c++) {
        const struct scored_run *run = run_of(result, method, c);
        json_t *one = run_to_json(result, run);
        json_object_set_new(one, "chosen", json_boolean(c == result_chosen(result, 0, method)));
        json_object_set_new(one, "digest", scored_run_digest(run));
        json_array_append_new(sweep, one);
    }
    json_object_set_new(o, "sweep", sweep);
    return o;
}

static void add_json(const struct result *result, json_t *root) {
    json_t *digests = json_object(), *base = json_object(), *list = json_array();
    json_object_set_new(digests, "base", json_string(result->base[0].digest.hex));
    scores_to_json(&result->base[0].scores, base);
    report_slots_to_json(&result->base[0], base);
    for (size_t m = 0; m < result->plan->n_series; m++) {
        json_object_set_new(digests, result->plan->series[m].name,
                            result_has_points(result, 0, m)
                                ? scored_run_digest(chosen_run(result, m))
                                : json_null());
        json_array_append_new(list, method_to_json(result, m));
    }
    json_object_update_new(root, json_pack("{s:o, s:s, s:o, s:o, s:f}", "digests", digests,
                                           "result", result->digest.hex, "base", base, "methods",
                                           list, "seconds", result->seconds));
}

const struct report_form report_form_run = {.report = "report",
                                            .picture = "tradeoff",
                                            .add_text = add_text,
                                            .add_markdown = add_markdown,
                                            .add_csv = add_csv,
                                            .add_json = add_json};
