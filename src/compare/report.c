#include "compare/report.h"

#include <stdio.h>
#include <stdlib.h>

#include <mneme/version.h>

#include "folder/folder.h"
#include "report/report_file.h"
#include "run/machine.h"

const struct report_form *report_form(const struct result *result) {
    return result->plan->kind == PLAN_RUN ? &report_form_run : &report_form_sweep;
}

void report_add_score(struct table *table, bool there, double score) {
    if (there) {
        table_add(table, "%.3f", score);
    } else {
        table_add(table, "–");
    }
}

void report_add_nll(struct table *table, const struct scores *scores) {
    report_add_score(table, !scores->diverged && !scores->without_skill, scores->skill_nll);
}

size_t report_measures(const struct result *result, bool is_summary,
                       const struct measure *list[MEASURES]) {
    const struct measure *all[MEASURES];
    size_t n = 0, n_all = measures_of(&result->base[0].scores, all);
    for (size_t i = 0; i < n_all; i++) {
        if (!is_summary || all[i]->in_summary) list[n++] = all[i];
    }
    return n;
}

void report_add_measures(struct table *table, size_t n, const struct measure *const *measures,
                         const struct scores *scores) {
    for (size_t i = 0; i < n; i++) {
        report_add_score(table, measure_is_there(measures[i], scores),
                         measure_value(measures[i], scores));
    }
}

void report_add_csv(struct text *text, bool there, double number) {
    text_add(text, ",");
    if (there) text_add(text, "%.9g", number);
}

void report_add_csv_held_out(struct text *text, const struct result *result,
                             const struct scores *scores) {
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    report_add_csv(text, !scores->diverged && !scores->without_skill, scores->skill_nll);
    for (size_t i = 0; i < n; i++) {
        report_add_csv(text, measure_is_there(measures[i], scores),
                       measure_value(measures[i], scores));
    }
}

void report_add_csv_names(struct text *text, const struct result *result) {
    const struct measure *measures[MEASURES];
    size_t n = report_measures(result, false, measures);
    text_add(text, ",skill_nll");
    for (size_t i = 0; i < n; i++) text_add(text, ",%s", measures[i]->key);
}

void report_add_slots(const struct scored_run *base, struct text *text) {
    if (!base->has_slots) return;
    text_add(
        text,
        "The last step of pretraining read %zu slots of the memory, as many as %.1f evenly read "
        "ones; no step read %.2f %% of them.\n",
        base->slots.slots, (double)base->slots.perplexity, 100.0 * (double)base->slots.never_read);
}

void report_slots_to_json(const struct scored_run *base, json_t *object) {
    if (!base->has_slots) return;
    json_object_set_new(
        object, "slots",
        json_pack("{s:I, s:f, s:f}", "read", (json_int_t)base->slots.slots, "perplexity",
                  (double)base->slots.perplexity, "never_read", (double)base->slots.never_read));
}

void report_add_left_out(const struct result *result, struct text *text) {
    if (result->n_left_out == 0) return;
    text_add(text, "not in this report, though in the folder: %zu finetuning%s by other settings",
             result->n_left_out, result->n_left_out == 1 ? "" : "s");
    if (result->plan->kind == PLAN_RUN && !result->left_out.failed) {
        text_add(text, " (%s)", result->left_out.bytes);
    }
    text_add(text, "\n");
}

/* What the corpus has to say, a line each. */
static void add_notes(const struct result *result, const char *before, struct text *text) {
    for (size_t i = 0; i < result->notes.n; i++) {
        text_add(text, "%s%s%s\n", i == 0 ? "\n" : "", before, result->notes.texts[i]);
    }
}

char *report_text(const struct result *result) {
    struct text text = {0};
    report_form(result)->add_text(result, &text);
    add_notes(result, "note: ", &text);
    return text_take(&text);
}

char *report_markdown(const struct result *result) {
    struct text text = {0};
    text_add(&text, "# %s: learning against forgetting\n\n", result->plan->name);
    report_form(result)->add_markdown(result, &text);
    if (result->notes.n > 0) text_add(&text, "\n## Notes\n");
    add_notes(result, "- ", &text);
    return text_take(&text);
}

char *report_csv(const struct result *result) {
    struct text text = {0};
    report_form(result)->add_csv(result, &text);
    return text_take(&text);
}

static json_t *notes_to_json(const struct text_list *notes) {
    json_t *list = json_array();
    for (size_t i = 0; i < notes->n; i++) json_array_append_new(list, json_string(notes->texts[i]));
    return list;
}

/* jansson takes NULL for any value and then fails, so that one check at the end is enough. */
json_t *report_json(const struct result *result) {
    json_t *root = json_object();
    const bool canonical = result->mark[0] == '\0';
    json_object_set_new(root, "recipe", json_string(result->plan->name));
    json_object_set_new(root, "canonical", json_boolean(canonical));
    if (!canonical) json_object_set_new(root, "matmul", json_string(result->mark));
    json_object_set_new(root, "contract", json_integer(MNEME_CONTRACT_VERSION));
    report_form(result)->add_json(result, root);
    json_object_set_new(root, "diverged", json_integer((json_int_t)result->n_diverged));
    json_object_set_new(root, "left_out", json_integer((json_int_t)result->n_left_out));
    json_object_set_new(root, "notes", notes_to_json(&result->notes));
    json_object_set_new(root, "machine", machine_to_json());
    return root;
}

struct report_files report_files(const struct result *result, const char *folder) {
    static const char *const endings[] = {"csv", "gnuplot", "svg", "png"};
    const struct report_form *form = report_form(result);
    struct report_files files = {0};
    files.paths[files.n++] = path_in(folder, "%s.md", form->report);
    files.paths[files.n++] = path_in(folder, "%s.json", form->report);
    files.paths[files.n++] = path_in(folder, FOLDER_SWEEP_RECIPE);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        files.paths[files.n++] = path_in(folder, "%s.%s", form->picture, endings[i]);
        if (i > 0) files.paths[files.n++] = path_in(folder, "stream.%s", endings[i]);
    }
    return files;
}

mneme_status report_write(const struct result *result, const char *folder, mneme_error *error) {
    const struct report_form *form = report_form(result);
    char name[32];
    snprintf(name, sizeof name, "%s.csv", form->picture);
    TRY(report_file_text(folder, name, report_csv(result), error));
    snprintf(name, sizeof name, "%s.md", form->report);
    TRY(report_file_text(folder, name, report_markdown(result), error));
    snprintf(name, sizeof name, "%s.json", form->report);
    return report_file_json(folder, name, report_json(result), error);
}
