#include "patch/patch_report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"

/* Facts that are shown; --json has all. */
#define SHOWN_FACTS 20

static mneme_status take(struct text *text, char **bytes, mneme_error *error) {
    *bytes = text_take(text);
    return *bytes == NULL ? error_set_memory(error, "a patch's report") : MNEME_OK;
}

static mneme_status take_json(json_t *object, char **bytes, mneme_error *error) {
    struct text text = {0};
    char *printed =
        object == NULL ? NULL : json_print(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(object);
    if (printed == NULL) return error_set_memory(error, "a patch's report");
    text_add(&text, "%s\n", printed);
    free(printed);
    return take(&text, bytes, error);
}

static size_t file_size(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 ? (size_t)facts.st_size : 0;
}

/* Rows of table t. */
static size_t count_rows(const struct patch *patch, size_t t) {
    size_t n = 0;
    for (size_t i = 0; i < patch->n_rows; i++) n += (size_t)patch->slots[i] / patch->n_slots == t;
    return n;
}

static json_t *facts_to_json(const struct patch *patch, size_t first) {
    json_t *facts = json_array();
    for (size_t i = first; i < patch->n_facts; i++) {
        const struct patch_fact *fact = &patch->facts[i];
        json_t *answers = json_array();
        for (size_t a = 0; a < fact->answers.n; a++) {
            json_array_append_new(answers, json_string(fact->answers.texts[a]));
        }
        json_array_append_new(
            facts,
            json_pack("{s:s, s:o, s:I, s:o, s:I}", "question", fact->question, "answer", answers,
                      "steps", (json_int_t)fact->steps, "loss", json_float(fact->loss), "rows",
                      (json_int_t)(patch->ends[i] - (i > 0 ? patch->ends[i - 1] : 0))));
    }
    return facts;
}

static json_t *tables_to_json(const struct patch *patch) {
    json_t *tables = json_array();
    for (size_t t = 0; t < patch->tables.n; t++) {
        json_array_append_new(tables, json_pack("{s:s, s:I, s:I}", "name", patch->tables.texts[t],
                                                "rows", (json_int_t)count_rows(patch, t), "slots",
                                                (json_int_t)patch->n_slots));
    }
    return tables;
}

static json_t *settings_of(const struct patch *patch) {
    json_error_t cause;
    json_t *settings = json_parse(patch->settings, strlen(patch->settings), 0, &cause);
    return settings != NULL ? settings : json_null();
}

static mneme_status report_json(const struct patch *patch, const char *path, char **text,
                                mneme_error *error) {
    json_t *object = json_pack(
        "{s:s, s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "model", patch->model.hex,
        "carries_memory", (int)patch->carries_memory, "bytes", (json_int_t)file_size(path), "rows",
        (json_int_t)patch->n_rows, "width", (json_int_t)patch->width, "changes",
        (json_int_t)patch->n_entries, "tables", tables_to_json(patch), "settings",
        settings_of(patch), "facts", facts_to_json(patch, 0));
    return take_json(object, text, error);
}

static void add_fact(struct text *text, const struct patch *patch, size_t i) {
    const struct patch_fact *fact = &patch->facts[i];
    text_add(text, "%5zu  %s  %s  (%zu step%s, loss %.3f)\n", i + 1, fact->question,
             fact->answers.texts[0], fact->steps, fact->steps == 1 ? "" : "s", (double)fact->loss);
}

mneme_status patch_report(const struct patch *patch, const char *path, bool json, char **bytes,
                          mneme_error *error) {
    struct text text = {0};
    if (json) return report_json(patch, path, bytes, error);
    text_add(&text, "model     %s%s\n", patch->model.hex,
             patch->carries_memory ? " (without a memory: the patch carries it)" : "");
    text_add(&text, "size      %.1f MB\n", (double)file_size(path) * 1e-6);
    for (size_t t = 0; t < patch->tables.n; t++) {
        text_add(&text, "rows      %zu of %zu in %s\n", count_rows(patch, t), patch->n_slots,
                 patch->tables.texts[t]);
    }
    text_add(&text, "settings  %s\n", patch->settings);
    text_add(&text, "facts     %zu\n", patch->n_facts);
    size_t first = patch->n_facts > SHOWN_FACTS ? patch->n_facts - SHOWN_FACTS : 0;
    if (first > 0) text_add(&text, "       the last %d:\n", SHOWN_FACTS);
    for (size_t i = first; i < patch->n_facts; i++) add_fact(&text, patch, i);
    return take(&text, bytes, error);
}

static mneme_status difference_json(const struct patch *left, const struct patch *right,
                                    const struct patch_difference *d, char **text,
                                    mneme_error *error) {
    json_t *object =
        json_pack("{s:I, s:o, s:o, s:I, s:I, s:I, s:I}", "facts_alike", (json_int_t)d->facts_alike,
                  "facts_left", facts_to_json(left, d->facts_alike), "facts_right",
                  facts_to_json(right, d->facts_alike), "rows_alike", (json_int_t)d->rows_alike,
                  "rows_differ", (json_int_t)d->rows_differ, "rows_left", (json_int_t)d->rows_left,
                  "rows_right", (json_int_t)d->rows_right);
    if (object != NULL && d->rows_differ > 0) {
        json_object_set_new(object, "biggest",
                            json_pack("{s:o, s:s, s:I, s:I}", "change", json_float(d->change),
                                      "table", left->tables.texts[(size_t)d->slot / left->n_slots],
                                      "slot", (json_int_t)((size_t)d->slot % left->n_slots),
                                      "column", (json_int_t)d->column));
    }
    return take_json(object, text, error);
}

static void add_facts_of(struct text *text, const struct patch *patch, size_t first,
                         const char *side) {
    if (first == patch->n_facts) return;
    text_add(text, "%s only: %zu\n", side, patch->n_facts - first);
    for (size_t i = first; i < patch->n_facts && i < first + SHOWN_FACTS; i++) {
        add_fact(text, patch, i);
    }
}

mneme_status patch_report_difference(const struct patch *left, const struct patch *right,
                                     const struct patch_difference *d, bool json, char **bytes,
                                     mneme_error *error) {
    struct text text = {0};
    if (json) return difference_json(left, right, d, bytes, error);
    text_add(&text, "facts that both begin with: %zu\n", d->facts_alike);
    add_facts_of(&text, left, d->facts_alike, "the first has");
    add_facts_of(&text, right, d->facts_alike, "the second has");
    text_add(&text,
             "rows: %zu the same, %zu differ, %zu in the first only, %zu in the second only\n",
             d->rows_alike, d->rows_differ, d->rows_left, d->rows_right);
    if (d->rows_differ > 0) {
        text_add(&text, "biggest change: %g in %s, slot %zu, column %zu\n", (double)d->change,
                 left->tables.texts[(size_t)d->slot / left->n_slots],
                 (size_t)d->slot % left->n_slots, d->column);
    }
    return take(&text, bytes, error);
}
