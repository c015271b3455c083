#include "compare/report.h"

#include <stdlib.h>
#include <string.h>

#include <mneme/version.h>

#include "base/report_file.h"
#include "base/text.h"
#include "nn/matmul_backend.h"
#include "run/machine.h"

#define COMPARISON_TEXT                                                                           \
    "The methods are compared at the same new-fact F1: the highest that all of them reach with "  \
    "some learning rate of their sweep. A method's chosen run is the one that keeps the highest " \
    "known-fact F1 among its runs that reach it; `at equal new F1` is read off the line through " \
    "its best runs (and the base) at exactly that level.\n"

static void list_points(const struct report_method *method, struct sweep_point *points) {
    for (size_t i = 0; i < method->n_runs; i++) {
        points[i] = (struct sweep_point){method->runs[i].lr, method->runs[i].scores.new_f1,
                                         method->runs[i].scores.known_f1};
    }
}

void report_select(struct report *report) {
    struct sweep_point points[REPORT_MAX_METHODS][REPORT_MAX_RUNS];
    struct sweep sweeps[REPORT_MAX_METHODS];
    struct sweep_point base = {0.0, report->base.new_f1, report->base.known_f1};
    for (size_t m = 0; m < report->n_methods; m++) {
        list_points(&report->methods[m], points[m]);
        sweeps[m] = (struct sweep){points[m], report->methods[m].n_runs};
    }
    report->level = selection_level(sweeps, report->n_methods);
    for (size_t m = 0; m < report->n_methods; m++) {
        report->methods[m].chosen = selection_choose(&sweeps[m], report->level);
        report->methods[m].known_at_level = selection_known_at(&sweeps[m], base, report->level);
    }
}

static double drop(const struct report *report, double known_f1) {
    return selection_drop_percent(report->base.known_f1, known_f1);
}

static void table_rows(const struct report *report, struct text *text) {
    text_add(text, "%-6s %9s %7s %9s %12s %10s %16s %12s %8s\n", "method", "lr", "new F1",
             "known F1", "known lost", "skill NLL", "lost at equal", "trainable", "seconds");
    text_add(text, "%-6s %9s %7.3f %9.3f %12s %10.3f %16s %12s %8s\n", "base", "",
             report->base.new_f1, report->base.known_f1, "", report->base.skill_nll, "", "", "");
    for (size_t m = 0; m < report->n_methods; m++) {
        const struct report_method *method = &report->methods[m];
        const struct scored_run *run = &method->runs[method->chosen];
        text_add(text, "%-6s %9.4g %7.3f %9.3f %10.1f %% %10.3f %14.1f %% %12zu %8.1f\n",
                 method->name, run->lr, run->scores.new_f1, run->scores.known_f1,
                 drop(report, run->scores.known_f1), run->scores.skill_nll,
                 drop(report, method->known_at_level), run->trainable_parameters, run->seconds);
    }
}

char *report_table(const struct report *report) {
    struct text text = {0};
    table_rows(report, &text);
    text_add(&text,
             "\"lost at equal\" compares the methods at new F1 %.3f, which all of them reach.\n",
             report->level);
    const char *mark = matmul_backend_mark();
    if (mark == NULL) {
        text_add(&text, "\nSHA-256 of the weights (the same on every CPU and thread count)\n");
    } else {
        text_add(&text,
                 "\nNOT CANONICAL: the matrix products are by %s; other CPUs, thread counts and\n"
                 "versions give other digests, and none is compared with an expected one.\n",
                 mark);
    }
    text_add(&text, "  %-6s %s\n", "base", report->base_digest.hex);
    for (size_t m = 0; m < report->n_methods; m++) {
        const struct report_method *method = &report->methods[m];
        text_add(&text, "  %-6s %s\n", method->name, method->runs[method->chosen].digest.hex);
    }
    text_add(&text, "and of all that was found: trails, models, answers' scores\n  %-6s %s\n",
             "result", report->result.hex);
    return text_take(&text);
}

static json_t *run_to_json(const struct report *report, const struct scored_run *run) {
    json_t *o = json_object();
    json_object_set_new(o, "lr", json_real(run->lr));
    scores_to_json(&run->scores, o);
    json_object_set_new(o, "known_drop_percent", json_real(drop(report, run->scores.known_f1)));
    json_object_set_new(o, "diverged", json_boolean(run->diverged));
    json_object_set_new(o, "trainable_parameters",
                        json_integer((json_int_t)run->trainable_parameters));
    json_object_set_new(o, "steps", json_integer((json_int_t)run->steps));
    json_object_set_new(o, "seconds", json_real(run->seconds));
    return o;
}

static json_t *method_to_json(const struct report *report, const struct report_method *method) {
    json_t *o = json_object(), *sweep = json_array(), *equal = json_object();
    json_object_set_new(o, "name", json_string(method->name));
    json_t *chosen = run_to_json(report, &method->runs[method->chosen]);
    json_object_update(o, chosen);
    json_decref(chosen);
    json_object_set_new(equal, "new_f1", json_real(report->level));
    json_object_set_new(equal, "known_f1", json_real(method->known_at_level));
    json_object_set_new(equal, "known_drop_percent",
                        json_real(drop(report, method->known_at_level)));
    json_object_set_new(o, "at_equal_f1", equal);
    for (size_t i = 0; i < method->n_runs; i++) {
        json_t *run = run_to_json(report, &method->runs[i]);
        json_object_set_new(run, "chosen", json_boolean(i == method->chosen));
        json_object_set_new(run, "digest", json_string(method->runs[i].digest.hex));
        json_array_append_new(sweep, run);
    }
    json_object_set_new(o, "sweep", sweep);
    return o;
}

static json_t *report_to_json(const struct report *report) {
    json_t *root = json_object(), *digests = json_object(), *base = json_object();
    json_t *methods = json_array();
    json_object_set_new(root, "recipe", json_string(report->recipe));
    const char *mark = matmul_backend_mark();
    json_object_set_new(root, "canonical", json_boolean(mark == NULL));
    if (mark != NULL) json_object_set_new(root, "matmul", json_string(mark));
    json_object_set_new(root, "contract", json_integer(MNEME_CONTRACT_VERSION));
    json_object_set_new(digests, "base", json_string(report->base_digest.hex));
    json_object_set_new(root, "digests", digests);
    json_object_set_new(root, "result", json_string(report->result.hex));
    scores_to_json(&report->base, base);
    json_object_set_new(root, "base", base);
    json_object_set_new(root, "methods", methods);
    for (size_t m = 0; m < report->n_methods; m++) {
        const struct report_method *method = &report->methods[m];
        json_object_set_new(digests, method->name,
                            json_string(method->runs[method->chosen].digest.hex));
        json_array_append_new(methods, method_to_json(report, method));
    }
    json_object_set_new(root, "seconds", json_real(report->seconds));
    json_object_set_new(root, "machine", machine_to_json());
    return root;
}

static void markdown_sweep(const struct report *report, const struct report_method *method,
                           struct text *text) {
    text_add(text,
             "\n### %s\n\n| lr | new F1 | new EM | known F1 | known lost | skill NLL | |\n"
             "|---|---|---|---|---|---|---|\n",
             method->name);
    for (size_t i = 0; i < method->n_runs; i++) {
        const struct scored_run *run = &method->runs[i];
        const char *note = run->diverged ? "diverged" : i == method->chosen ? "chosen" : "";
        text_add(text, "| %.4g | %.3f | %.3f | %.3f | %.1f %% | %.3f | %s |\n", run->lr,
                 run->scores.new_f1, run->scores.new_em, run->scores.known_f1,
                 drop(report, run->scores.known_f1), run->scores.skill_nll, note);
    }
}

static char *report_markdown(const struct report *report) {
    struct text text = {0};
    text_add(&text, "# %s: learning against forgetting\n\n```\n", report->recipe);
    char *table = report_table(report);
    text_add(&text, "%s```\n\n%s\n![new against known F1](tradeoff.png)\n\n## Every run\n",
             table == NULL ? "" : table, COMPARISON_TEXT);
    free(table);
    for (size_t m = 0; m < report->n_methods; m++) {
        markdown_sweep(report, &report->methods[m], &text);
    }
    return text_take(&text);
}

/* One line per point of the plot: method, lr, new F1, known F1, chosen. */
static char *report_csv(const struct report *report) {
    struct text text = {0};
    text_add(&text, "method,lr,new_f1,known_f1,skill_nll,chosen\n");
    text_add(&text, "base,,%.9g,%.9g,%.9g,\n", report->base.new_f1, report->base.known_f1,
             report->base.skill_nll);
    for (size_t m = 0; m < report->n_methods; m++) {
        const struct report_method *method = &report->methods[m];
        for (size_t i = 0; i < method->n_runs; i++) {
            const struct scored_run *run = &method->runs[i];
            text_add(&text, "%s,%.9g,%.9g,%.9g,%.9g,%d\n", method->name, run->lr,
                     run->scores.new_f1, run->scores.known_f1, run->scores.skill_nll,
                     i == method->chosen);
        }
    }
    return text_take(&text);
}

mneme_status report_write(const struct report *report, const char *directory, mneme_error *error) {
    mneme_status status = report_file_text(directory, "tradeoff.csv", report_csv(report), error);
    if (status == MNEME_OK) {
        status = report_file_text(directory, "report.md", report_markdown(report), error);
    }
    return status == MNEME_OK
               ? report_file_json(directory, "report.json", report_to_json(report), error)
               : status;
}
