/* Writes a patch's file. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "patch/patch_file.h"
#include "patch/patch_parts.h"
#include "tensor/safetensors.h"

/* What is written, in the making. */
struct writing {
    const struct patch *patch;
    struct tensor *tensors; /* [capacity] */
    size_t n, capacity;
    char (*names)[PARAMETER_NAME_SIZE + 16]; /* [2 n_tables] */
    size_t *order;                           /* [n_rows] places by slot */
    int32_t *slots;                          /* [n_rows] ascending, within their table */
    float *rows;                             /* [n_rows, width] in that order */
    int64_t *ends;                           /* [n_facts] */
    char *facts, *tables, *config;
    int32_t n_batches;
};

static void add(struct writing *w, const char *name, enum tensor_type type, size_t rows,
                size_t columns, const void *data) {
    w->tensors[w->n++] = (struct tensor){.name = name,
                                         .type = type,
                                         .rank = columns == 0 ? 1 : 2,
                                         .shape = {rows, columns},
                                         .data = data};
}

static int by_slot(const void *a, const void *b, void *context) {
    const int32_t *slots = context;
    int32_t x = slots[*(const size_t *)a], y = slots[*(const size_t *)b];
    return (x > y) - (x < y);
}

/* The rows by slot, which are those of one table after the other. */
static void sort_rows(struct writing *w) {
    const struct patch *patch = w->patch;
    for (size_t i = 0; i < patch->n_rows; i++) w->order[i] = i;
    qsort_r(w->order, patch->n_rows, sizeof *w->order, by_slot, patch->slots);
    for (size_t i = 0; i < patch->n_rows; i++) {
        w->slots[i] = (int32_t)((size_t)patch->slots[w->order[i]] % patch->n_slots);
        memcpy(w->rows + i * patch->width, patch->rows + w->order[i] * patch->width,
               patch->width * sizeof *w->rows);
    }
}

static void add_tables(struct writing *w) {
    const struct patch *patch = w->patch;
    size_t first = 0;
    for (size_t t = 0; t < patch->tables.n; t++) {
        size_t end = first;
        while (end < patch->n_rows &&
               (size_t)patch->slots[w->order[end]] < (t + 1) * patch->n_slots) {
            end++;
        }
        char *slots = w->names[2 * t], *rows = w->names[2 * t + 1];
        snprintf(slots, sizeof *w->names, "%s.slots", patch->tables.texts[t]);
        snprintf(rows, sizeof *w->names, "%s.rows", patch->tables.texts[t]);
        add(w, slots, TENSOR_I32, end - first, 0, w->slots + first);
        add(w, rows, TENSOR_F32, end - first, patch->width, w->rows + first * patch->width);
        first = end;
    }
}

static void add_memory(struct writing *w) {
    const struct model *model = &w->patch->memory;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (patch_carries(p)) w->tensors[w->n++] = parameter_tensor(p, p->data);
    }
}

static void add_background(struct writing *w) {
    const struct background *background = &w->patch->background;
    if (background->n_slots == 0) return;
    w->n_batches = (int32_t)background->n_batches;
    background_list_tensors(background, &w->n_batches, w->tensors + w->n);
    w->n += BACKGROUND_TENSORS;
}

static mneme_status open_writing(struct writing *w, const struct patch *patch, mneme_error *error) {
    const size_t rows = patch->n_rows + 1;
    *w = (struct writing){.patch = patch,
                          .capacity = 2 * patch->tables.n + patch->memory.n_parameters + 7};
    w->tensors = calloc(w->capacity, sizeof *w->tensors);
    w->names = calloc(2 * patch->tables.n + 1, sizeof *w->names);
    w->order = calloc(rows, sizeof *w->order);
    w->slots = calloc(rows, sizeof *w->slots);
    w->rows = calloc(rows, patch->width * sizeof *w->rows);
    w->ends = calloc(patch->n_facts + 1, sizeof *w->ends);
    bool is_whole = w->tensors != NULL && w->names != NULL && w->order != NULL &&
                    w->slots != NULL && w->rows != NULL && w->ends != NULL;
    return is_whole ? MNEME_OK : error_set_memory(error, "a patch's file");
}

static void close_writing(struct writing *w) {
    free(w->tensors);
    free(w->names);
    free(w->order);
    free(w->slots);
    free(w->rows);
    free(w->ends);
    free(w->facts);
    free(w->tables);
    free(w->config);
}

static char *print_and_free(json_t *object) {
    char *text = object == NULL ? NULL : json_print(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

/* The metadata that are made for the file. */
static mneme_status describe(struct writing *w, mneme_error *error) {
    const struct patch *patch = w->patch;
    json_t *names = json_array();
    for (size_t i = 0; i < patch->tables.n; i++) {
        json_array_append_new(names, json_string(patch->tables.texts[i]));
    }
    w->tables =
        print_and_free(json_pack("{s:o, s:I, s:I}", "names", names, "slots",
                                 (json_int_t)patch->n_slots, "width", (json_int_t)patch->width));
    if (patch->carries_memory) {
        w->config = print_and_free(model_config_to_json(&patch->memory.config));
    }
    bool is_whole = w->tables != NULL && (w->config != NULL || !patch->carries_memory);
    return is_whole ? MNEME_OK : error_set_memory(error, "a patch's file");
}

static mneme_status add_tensors(struct writing *w, mneme_error *error) {
    const struct patch *patch = w->patch;
    size_t n_facts = 0;
    TRY(patch_facts_print(patch, &w->facts, &n_facts, error));
    for (size_t i = 0; i < patch->n_facts; i++) w->ends[i] = (int64_t)patch->ends[i];
    sort_rows(w);
    add_tables(w);
    if (patch->carries_memory) add_memory(w);
    add_background(w);
    add(w, PATCH_FACTS, TENSOR_U8, n_facts, 0, w->facts);
    add(w, PATCH_ENDS, TENSOR_I64, patch->n_facts, 0, w->ends);
    add(w, PATCH_JOURNAL, TENSOR_I32, patch->n_entries, 0, patch->journal);
    add(w, PATCH_BEFORE, TENSOR_F32, patch->n_entries - patch->n_rows, patch->width, patch->before);
    return describe(w, error);
}

mneme_status patch_save(const struct patch *patch, const char *path, mneme_error *error) {
    struct writing w;
    mneme_status status = open_writing(&w, patch, error);
    THEN(add_tensors(&w, error));
    const struct safetensors_metadata metadata[] = {{PATCH_KEY_VERSION, PATCH_VERSION},
                                                    {PATCH_KEY_MODEL, patch->model.hex},
                                                    {PATCH_KEY_TABLES, w.tables},
                                                    {PATCH_KEY_SETTINGS, patch->settings},
                                                    {PATCH_KEY_CONFIG, w.config}};
    THEN(safetensors_write_sealed(path, w.tensors, w.n, metadata, w.config == NULL ? 4 : 5, error));
    close_writing(&w);
    return status;
}
