#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/gguf.h"

/* Blocks are read through a buffer of about this many elements. */
#define CHUNK 65536

static int compare_name(const void *key, const void *entry) {
    return strcmp(key, ((const struct gguf_entry *)entry)->name);
}

const struct gguf_entry *gguf_find(const struct gguf *file, const char *name) {
    if (file->n == 0) return NULL;
    return bsearch(name, file->entries, file->n, sizeof *file->entries, compare_name);
}

static mneme_status refuse_shape(const struct gguf *file, const struct gguf_entry *entry,
                                 size_t rank, const size_t *shape, mneme_error *error) {
    char is[TENSOR_SHAPE_TEXT], expected[TENSOR_SHAPE_TEXT];
    tensor_shape_text(entry->rank, entry->shape, is);
    tensor_shape_text(rank, shape, expected);
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: shape is %s, must be %s",
                     file->file.path, entry->name, is, expected);
}

/* Finds a tensor of this shape that can be widened. */
static mneme_status find_f32(const struct gguf *file, const char *name, size_t rank,
                             const size_t *shape, const struct gguf_entry **found,
                             mneme_error *error) {
    const struct gguf_entry *entry = *found = gguf_find(file, name);
    if (entry == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: no tensor `%s`", file->file.path, name);
    }
    if (entry->rank != rank || memcmp(entry->shape, shape, rank * sizeof *shape) != 0) {
        return refuse_shape(file, entry, rank, shape, error);
    }
    if (entry->type != NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: tensor `%s`: type %u of GGUF is none that can be read:%s",
                     file->file.path, name, (unsigned)entry->type_number, gguf_type_names);
}

mneme_status gguf_check_f32(const struct gguf *file, const char *name, size_t rank,
                            const size_t *shape, mneme_error *error) {
    const struct gguf_entry *entry;
    return find_f32(file, name, rank, shape, &entry, error);
}

static mneme_status widen(const struct gguf *file, const struct gguf_entry *entry, uint8_t *chunk,
                          float *values, mneme_error *error) {
    const struct gguf_type *type = entry->type;
    size_t n_blocks = entry->count / type->block_elements, at_once = CHUNK / type->block_elements;
    for (size_t b = 0; b < n_blocks; b += at_once) {
        size_t n = n_blocks - b < at_once ? n_blocks - b : at_once;
        TRY(file_reader_read(&file->file, entry->offset + b * type->block_bytes, chunk,
                             n * type->block_bytes, error));
        type->widen(chunk, n, values + b * type->block_elements);
    }
    return MNEME_OK;
}

static mneme_status check_finite(const struct gguf *file, const struct gguf_entry *entry,
                                 const float *values, mneme_error *error) {
    size_t i = tensor_first_not_finite(stored_f32(values), entry->count);
    if (i == entry->count) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: element %zu is %s", file->file.path,
                     entry->name, i, isnan(values[i]) ? "NaN" : "infinite");
}

mneme_status gguf_read_f32(const struct gguf *file, const char *name, size_t rank,
                           const size_t *shape, float *destination, mneme_error *error) {
    const struct gguf_entry *entry;
    TRY(find_f32(file, name, rank, shape, &entry, error));
    uint8_t *chunk = malloc(CHUNK / entry->type->block_elements * entry->type->block_bytes);
    mneme_status status = chunk == NULL ? error_set_memory(error, file->file.path) : MNEME_OK;
    THEN(widen(file, entry, chunk, destination, error));
    free(chunk);
    TRY(status);
    return check_finite(file, entry, destination, error);
}
