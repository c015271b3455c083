/* Reads a patch's file. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "patch/patch_file.h"
#include "patch/patch_parts.h"
#include "tensor/safetensors.h"

/* More than any row is wide. */
#define MAX_WIDTH ((size_t)1 << 18)

/* The rows of a value table as the file has them. */
struct table_rows {
    size_t n;
    int32_t *slots; /* [n] ascending */
    float *rows;    /* [n, width] */
};

struct reading {
    const char *path;
    struct safetensors file;
    struct patch *patch;
    struct table_rows *tables; /* [n_tables] */
    int64_t *ends;             /* [n_facts] */
    size_t n_known;            /* tensors that a patch has */
    mneme_error *error;
};

static mneme_status refuse(const struct reading *r, const char *name, const char *cause) {
    return error_set(r->error, MNEME_BAD_INPUT, "%s: %s: %s", r->path, name, cause);
}

/* The rows of the tensor, which has that type and so many columns (0: is a vector). */
static mneme_status find_rows(struct reading *r, const char *name, enum tensor_type type,
                              size_t columns, size_t *rows) {
    const struct safetensors_entry *entry = safetensors_find(&r->file, name);
    if (entry == NULL) return refuse(r, name, "is missing");
    const struct tensor *tensor = &entry->tensor;
    bool fits = tensor->type == type && tensor->rank == (columns == 0 ? 1u : 2u) &&
                (columns == 0 || tensor->shape[1] == columns);
    if (!fits) return refuse(r, name, "has another type or width than a patch of this model has");
    *rows = tensor->shape[0];
    r->n_known++;
    return MNEME_OK;
}

static mneme_status read_exact(struct reading *r, const char *name, enum tensor_type type,
                               size_t rows, void *data) {
    return safetensors_read_exact(&r->file, name, type, 1, &rows, data, r->error);
}

static bool is_digest(const char *hex) {
    return hex != NULL && strlen(hex) == DIGEST_HEX_SIZE - 1 &&
           strspn(hex, "0123456789abcdef") == DIGEST_HEX_SIZE - 1;
}

/* What says that the file is a patch, whole, and of which model. */
static mneme_status read_frame(struct reading *r) {
    const char *version = safetensors_metadata_get(&r->file, PATCH_KEY_VERSION);
    const char *model = safetensors_metadata_get(&r->file, PATCH_KEY_MODEL);
    const char *settings = safetensors_metadata_get(&r->file, PATCH_KEY_SETTINGS);
    if (version == NULL) {
        return error_set(r->error, MNEME_BAD_INPUT, "%s: is no patch: no metadata `%s`", r->path,
                         PATCH_KEY_VERSION);
    }
    if (strcmp(version, PATCH_VERSION) != 0) {
        return error_set(r->error, MNEME_BAD_INPUT,
                         "%s: is a patch of layout %.20s, this version reads %s", r->path, version,
                         PATCH_VERSION);
    }
    if (safetensors_metadata_get(&r->file, SAFETENSORS_SEAL) == NULL) {
        return refuse(r, SAFETENSORS_SEAL, "is missing: the patch cannot be checked");
    }
    TRY(safetensors_check_seal(&r->file, r->error));
    if (!is_digest(model)) return refuse(r, PATCH_KEY_MODEL, "must be a SHA-256 in hexadecimal");
    if (settings == NULL) return refuse(r, PATCH_KEY_SETTINGS, "is missing");
    memcpy(r->patch->model.hex, model, DIGEST_HEX_SIZE);
    r->patch->settings = strdup(settings);
    return r->patch->settings == NULL ? error_set_memory(r->error, r->path) : MNEME_OK;
}

/* The metadata as a JSON object; the caller drops it. */
static mneme_status read_object(struct reading *r, const char *key, json_t **object) {
    const char *text = safetensors_metadata_get(&r->file, key);
    json_error_t cause;
    if (text == NULL) return refuse(r, key, "is missing");
    *object = json_parse(text, strlen(text), JSON_REJECT_DUPLICATES, &cause);
    return *object != NULL ? MNEME_OK : refuse(r, key, cause.text);
}

static mneme_status read_table_names(struct reading *r, const json_t *tables) {
    const json_t *names = json_object_get(tables, "names");
    size_t n = json_array_size(names);
    if (n < 1 || n > MODEL_MAX_MEMORY_LAYERS) {
        return refuse(r, PATCH_KEY_TABLES, "`names` must be a list of 1 to 64 names");
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *name = json_array_get(names, i);
        size_t length = json_string_length(name);
        if (length < 1 || length >= PARAMETER_NAME_SIZE) {
            return refuse(r, PATCH_KEY_TABLES, "`names` must be a list of 1 to 64 names");
        }
        TRY(text_list_add_copy(&r->patch->tables, json_string_value(name), length, r->error));
    }
    return MNEME_OK;
}

static mneme_status read_tables(struct reading *r) {
    struct patch *patch = r->patch;
    struct path place = path_in("", "%s: " PATCH_KEY_TABLES, r->path);
    struct json_place root;
    json_t *object = NULL;
    mneme_status status = read_object(r, PATCH_KEY_TABLES, &object);
    THEN(json_place_root(object, place.text, &root, r->error));
    THEN(json_get_size(&root, "slots", KEY_REQUIRED, 1, INT32_MAX, &patch->n_slots, r->error));
    THEN(json_get_size(&root, "width", KEY_REQUIRED, 1, MAX_WIDTH, &patch->width, r->error));
    THEN(read_table_names(r, object));
    if (status == MNEME_OK && patch->tables.n * patch->n_slots > INT32_MAX) {
        status = refuse(r, PATCH_KEY_TABLES, "more slots than 32 bits number");
    }
    json_decref(object);
    return status;
}

/* The tables are those of the model that config.json describes. */
static mneme_status check_tables(const struct reading *r, const struct model *model) {
    const struct patch *patch = r->patch;
    size_t n = 0;
    bool fit = patch->n_slots == model_n_slots(&model->config) &&
               patch->width == patch_width(&model->config) && patch->tables.n == model->n_tables;
    for (size_t i = 0; i < model->n_parameters && fit; i++) {
        if (model->parameters[i].kind != PARAMETER_VALUES) continue;
        fit = strcmp(model->parameters[i].name, patch->tables.texts[n++]) == 0;
    }
    return fit ? MNEME_OK : refuse(r, PATCH_KEY_TABLES, "are not those of `" PATCH_KEY_CONFIG "`");
}

static mneme_status read_background(struct reading *r, size_t n_slots) {
    const struct safetensors_entry *reads = safetensors_find(&r->file, PATCH_READS);
    if (reads == NULL) return MNEME_OK;
    if (reads->tensor.rank != 1 || reads->tensor.shape[0] != n_slots) {
        return refuse(r, PATCH_READS, "is not for the slots of the tables");
    }
    r->n_known += BACKGROUND_TENSORS;
    return background_read(&r->patch->background, &r->file, n_slots, r->error);
}

static mneme_status read_parameters(struct reading *r, struct model *model) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if (!patch_carries(p)) continue;
        TRY(safetensors_check_f32(&r->file, p->name, p->rank, p->shape, r->error));
        p->data = malloc(p->count * sizeof *p->data);
        if (p->data == NULL) return error_set_memory(r->error, r->path);
        TRY(safetensors_read_f32(&r->file, p->name, p->rank, p->shape, p->data, r->error));
        r->n_known++;
    }
    return MNEME_OK;
}

static mneme_status read_memory(struct reading *r) {
    struct patch *patch = r->patch;
    struct model_config config;
    struct path place = path_in("", "%s: " PATCH_KEY_CONFIG, r->path);
    json_t *object = NULL;
    if (safetensors_metadata_get(&r->file, PATCH_KEY_CONFIG) == NULL) return MNEME_OK;
    patch->carries_memory = true;
    mneme_status status = read_object(r, PATCH_KEY_CONFIG, &object);
    THEN(model_config_from_json(object, place.text, &config, r->error));
    json_decref(object);
    THEN(model_describe(&config, &patch->memory, r->error));
    THEN(check_tables(r, &patch->memory));
    THEN(read_parameters(r, &patch->memory));
    return status;
}

/* Each of n slots lies in [0, end), above the one before. */
static bool ascend(size_t n, const int32_t *slots, size_t end) {
    for (size_t i = 0; i < n; i++) {
        if (slots[i] < 0 || (size_t)slots[i] >= end || (i > 0 && slots[i] <= slots[i - 1])) {
            return false;
        }
    }
    return true;
}

static mneme_status read_table(struct reading *r, size_t t) {
    const struct patch *patch = r->patch;
    struct table_rows *table = &r->tables[t];
    struct path slots = path_in("", "%s.slots", patch->tables.texts[t]);
    struct path rows = path_in("", "%s.rows", patch->tables.texts[t]);
    size_t n_rows = 0;
    TRY(find_rows(r, slots.text, TENSOR_I32, 0, &table->n));
    TRY(find_rows(r, rows.text, TENSOR_F32, patch->width, &n_rows));
    if (n_rows != table->n) return refuse(r, rows.text, "has not a row for each slot");
    table->slots = malloc((table->n + 1) * sizeof *table->slots);
    table->rows = malloc((table->n + 1) * patch->width * sizeof *table->rows);
    if (table->slots == NULL || table->rows == NULL) return error_set_memory(r->error, r->path);
    const size_t shape[2] = {table->n, patch->width};
    TRY(read_exact(r, slots.text, TENSOR_I32, table->n, table->slots));
    TRY(safetensors_read_f32(&r->file, rows.text, 2, shape, table->rows, r->error));
    return ascend(table->n, table->slots, patch->n_slots)
               ? MNEME_OK
               : refuse(r, slots.text, "slots are out of range, or do not ascend");
}

/* Reads the journal's sizes: ends ascend to the number of its entries. */
static mneme_status read_ends(struct reading *r) {
    struct patch *patch = r->patch;
    size_t n = 0;
    TRY(find_rows(r, PATCH_ENDS, TENSOR_I64, 0, &n));
    TRY(find_rows(r, PATCH_JOURNAL, TENSOR_I32, 0, &patch->n_entries));
    r->ends = malloc((n + 1) * sizeof *r->ends);
    patch->ends = malloc((n + 1) * sizeof *patch->ends);
    patch->facts = calloc(n + 1, sizeof *patch->facts);
    if (r->ends == NULL || patch->ends == NULL || patch->facts == NULL) {
        return error_set_memory(r->error, r->path);
    }
    TRY(read_exact(r, PATCH_ENDS, TENSOR_I64, n, r->ends));
    int64_t before = 0;
    for (size_t i = 0; i < n; before = r->ends[i++]) {
        if (r->ends[i] < before) return refuse(r, PATCH_ENDS, "must ascend");
        patch->ends[i] = (size_t)r->ends[i];
    }
    patch->fact_capacity = patch->end_capacity = n + 1;
    if ((size_t)before == patch->n_entries) return MNEME_OK;
    return refuse(r, PATCH_ENDS, "must end with the number of entries of `" PATCH_JOURNAL "`");
}

static mneme_status parse_facts(struct reading *r, const char *bytes, size_t length, size_t n) {
    struct patch *patch = r->patch;
    size_t line = 0;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(bytes + at, '\n', length - at);
        size_t here = end == NULL ? length - at : (size_t)(end - bytes) - at;
        struct path place = path_in("", "%s: " PATCH_FACTS ":%zu", r->path, ++line);
        if (patch->n_facts == n) return refuse(r, PATCH_FACTS, "more than `" PATCH_ENDS "` has");
        TRY(patch_fact_parse(bytes + at, here, place.text, &patch->facts[patch->n_facts++],
                             r->error));
        at += here + 1;
    }
    return patch->n_facts == n ? MNEME_OK
                               : refuse(r, PATCH_FACTS, "fewer than `" PATCH_ENDS "` has");
}

static mneme_status read_facts(struct reading *r) {
    size_t length = 0, n = r->patch->fact_capacity - 1;
    TRY(find_rows(r, PATCH_FACTS, TENSOR_U8, 0, &length));
    char *bytes = malloc(length + 1);
    mneme_status status = bytes == NULL ? error_set_memory(r->error, r->path) : MNEME_OK;
    THEN(read_exact(r, PATCH_FACTS, TENSOR_U8, length, bytes));
    THEN(parse_facts(r, bytes, length, n));
    free(bytes);
    return status;
}

static mneme_status read_journal(struct reading *r) {
    struct patch *patch = r->patch;
    patch->journal = malloc((patch->n_entries + 1) * sizeof *patch->journal);
    if (patch->journal == NULL) return error_set_memory(r->error, r->path);
    patch->entry_capacity = patch->n_entries + 1;
    TRY(read_exact(r, PATCH_JOURNAL, TENSOR_I32, patch->n_entries, patch->journal));
    const size_t n_slots = patch->tables.n * patch->n_slots;
    for (size_t i = 0, first = 0; i < patch->n_facts; first = patch->ends[i++]) {
        if (ascend(patch->ends[i] - first, patch->journal + first, n_slots)) continue;
        return refuse(r, PATCH_JOURNAL, "a fact's slots are out of range, or do not ascend");
    }
    return MNEME_OK;
}

static int compare_slots(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The file's row of a slot, or NULL. */
static const float *row_in_file(const struct reading *r, int32_t slot) {
    const struct patch *patch = r->patch;
    const struct table_rows *table = &r->tables[(size_t)slot / patch->n_slots];
    const int32_t wanted = (int32_t)((size_t)slot % patch->n_slots);
    const int32_t *found = table->n == 0 ? NULL
                                         : bsearch(&wanted, table->slots, table->n,
                                                   sizeof *table->slots, compare_slots);
    return found == NULL ? NULL : table->rows + (size_t)(found - table->slots) * patch->width;
}

/* A slot's first entry: its row comes next. */
static mneme_status place_row(struct reading *r, size_t entry) {
    struct patch *patch = r->patch;
    const int32_t slot = patch->journal[entry];
    const float *row = row_in_file(r, slot);
    if (row == NULL) return refuse(r, PATCH_JOURNAL, "names a slot that has no row");
    TRY(slot_index_add(&patch->index, slot, patch->n_rows, r->error));
    patch->slots[patch->n_rows] = slot;
    patch->first_entries[patch->n_rows] = entry;
    memcpy(patch->rows + patch->n_rows++ * patch->width, row, patch->width * sizeof *row);
    return MNEME_OK;
}

/* The rows in the order in which the journal names them first: all that the tables have. */
static mneme_status place_rows(struct reading *r) {
    struct patch *patch = r->patch;
    size_t n = 0;
    for (size_t t = 0; t < patch->tables.n; t++) n += r->tables[t].n;
    patch->slots = malloc((n + 1) * sizeof *patch->slots);
    patch->rows = malloc((n + 1) * patch->width * sizeof *patch->rows);
    patch->first_entries = malloc((n + 1) * sizeof *patch->first_entries);
    if (patch->slots == NULL || patch->rows == NULL || patch->first_entries == NULL) {
        return error_set_memory(r->error, r->path);
    }
    patch->slot_capacity = patch->row_capacity = patch->first_capacity = n + 1;
    for (size_t e = 0; e < patch->n_entries; e++) {
        if (slot_index_find(&patch->index, patch->journal[e]) != SLOT_INDEX_NONE) continue;
        TRY(place_row(r, e));
    }
    return patch->n_rows == n ? MNEME_OK : refuse(r, PATCH_JOURNAL, "some rows have no entry");
}

static mneme_status read_before(struct reading *r) {
    struct patch *patch = r->patch;
    size_t n = 0;
    TRY(find_rows(r, PATCH_BEFORE, TENSOR_F32, patch->width, &n));
    if (n != patch->n_entries - patch->n_rows) {
        return refuse(r, PATCH_BEFORE, "has not a row for each later change");
    }
    patch->before = malloc((n + 1) * patch->width * sizeof *patch->before);
    if (patch->before == NULL) return error_set_memory(r->error, r->path);
    patch->before_capacity = n + 1;
    const size_t shape[2] = {n, patch->width};
    return safetensors_read_f32(&r->file, PATCH_BEFORE, 2, shape, patch->before, r->error);
}

static mneme_status read_all(struct reading *r) {
    TRY(safetensors_open(&r->file, r->path, r->error));
    TRY(read_frame(r));
    TRY(read_tables(r));
    TRY(read_memory(r));
    TRY(read_background(r, r->patch->tables.n * r->patch->n_slots));
    r->tables = calloc(r->patch->tables.n, sizeof *r->tables);
    if (r->tables == NULL) return error_set_memory(r->error, r->path);
    for (size_t t = 0; t < r->patch->tables.n; t++) TRY(read_table(r, t));
    TRY(read_ends(r));
    TRY(read_facts(r));
    TRY(read_journal(r));
    TRY(place_rows(r));
    TRY(read_before(r));
    return r->n_known == r->file.n ? MNEME_OK : refuse(r, "tensors", "some are no part of a patch");
}

mneme_status patch_load(struct patch *patch, const char *path, mneme_error *error) {
    *patch = (struct patch){0};
    struct reading r = {.path = path, .patch = patch, .error = error};
    mneme_status status = read_all(&r);
    for (size_t t = 0; r.tables != NULL && t < patch->tables.n; t++) {
        free(r.tables[t].slots);
        free(r.tables[t].rows);
    }
    free(r.tables);
    free(r.ends);
    safetensors_close(&r.file);
    if (status != MNEME_OK) patch_close(patch);
    return status;
}

mneme_status patch_check_fits(const struct patch *patch, const char *path,
                              const struct digest *model, mneme_error *error) {
    if (strcmp(patch->model.hex, model->hex) == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: is for the model with the digest %.16s…, but this one has %.16s…", path,
                     patch->model.hex, model->hex);
}
