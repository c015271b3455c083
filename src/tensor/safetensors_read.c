#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simd/simd.h"
#include "tensor/safetensors.h"

/* 16-bit elements are converted through a buffer of this many. */
#define CHUNK 16384

static int compare_name(const void *key, const void *entry) {
    return strcmp(key, ((const struct safetensors_entry *)entry)->tensor.name);
}

const struct safetensors_entry *safetensors_find(const struct safetensors *file, const char *name) {
    if (file->n == 0) return NULL;
    return bsearch(name, file->entries, file->n, sizeof *file->entries, compare_name);
}

const char *safetensors_metadata_get(const struct safetensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

mneme_status safetensors_read_bytes(const struct safetensors *file,
                                    const struct safetensors_entry *entry, size_t offset,
                                    void *bytes, size_t length, mneme_error *error) {
    return file_reader_read(&file->file, entry->offset + offset, bytes, length, error);
}

/* Finds a tensor that must have this shape. */
static mneme_status find_shaped(const struct safetensors *file, const char *name, size_t rank,
                                const size_t *shape, const struct safetensors_entry **found,
                                mneme_error *error) {
    const struct safetensors_entry *entry = safetensors_find(file, name);
    if (entry == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: no tensor `%s`", file->file.path, name);
    }
    const struct tensor *tensor = &entry->tensor;
    if (tensor->rank != rank ||
        (rank > 0 && memcmp(tensor->shape, shape, rank * sizeof *shape) != 0)) {
        char is[TENSOR_SHAPE_TEXT], expected[TENSOR_SHAPE_TEXT];
        tensor_shape_text(tensor->rank, tensor->shape, is);
        tensor_shape_text(rank, shape, expected);
        return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: shape is %s, must be %s",
                         file->file.path, name, is, expected);
    }
    *found = entry;
    return MNEME_OK;
}

static mneme_status wrong_type(const struct safetensors *file, const struct tensor *tensor,
                               const char *expected, mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: type is %s, must be %s",
                     file->file.path, tensor->name, tensor_type_name(tensor->type), expected);
}

static mneme_status read_converted(const struct safetensors *file,
                                   const struct safetensors_entry *entry, float *destination,
                                   mneme_error *error) {
    size_t count = entry->bytes / 2;
    uint16_t *chunk = malloc(CHUNK * sizeof *chunk);
    if (chunk == NULL) return error_set_memory(error, file->file.path);
    mneme_status status = MNEME_OK;
    for (size_t done = 0; done < count && status == MNEME_OK;) {
        size_t n = count - done < CHUNK ? count - done : CHUNK;
        status = safetensors_read_bytes(file, entry, done * 2, chunk, n * 2, error);
        for (size_t i = 0; i < n && status == MNEME_OK; i++) {
            destination[done + i] = entry->tensor.type == TENSOR_BF16
                                        ? stored_float_of_bf16(chunk[i])
                                        : stored_float_of_f16(chunk[i]);
        }
        done += n;
    }
    free(chunk);
    return status;
}

/* Names the element by its place in the shape. */
static mneme_status refuse_element(const struct safetensors *file, const struct tensor *tensor,
                                   size_t index, bool nan, mneme_error *error) {
    size_t place[TENSOR_MAX_RANK] = {0};
    for (size_t i = tensor->rank; i-- > 0;) {
        place[i] = index % tensor->shape[i];
        index /= tensor->shape[i];
    }
    char text[TENSOR_SHAPE_TEXT];
    tensor_shape_text(tensor->rank, place, text);
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: element %s is %s", file->file.path,
                     tensor->name, text, nan ? "NaN" : "infinite");
}

mneme_status safetensors_check_finite(const struct safetensors *file, const struct tensor *tensor,
                                      struct stored values, mneme_error *error) {
    size_t bytes = 0;
    (void)tensor_bytes(tensor, &bytes); /* it fits: it is in the file */
    const size_t count = bytes / tensor_type_size(tensor->type);
    size_t i = tensor_first_not_finite(values, count);
    if (i == count) return MNEME_OK;
    float value = 0.0f;
    simd()->widen(1, stored_from(values, i), &value);
    return refuse_element(file, tensor, i, isnan(value), error);
}

/* Finds a tensor of this shape whose elements are floats or become floats. */
static mneme_status find_f32(const struct safetensors *file, const char *name, size_t rank,
                             const size_t *shape, const struct safetensors_entry **found,
                             mneme_error *error) {
    TRY(find_shaped(file, name, rank, shape, found, error));
    enum tensor_type type = (*found)->tensor.type;
    if (type == TENSOR_F32 || type == TENSOR_BF16 || type == TENSOR_F16) return MNEME_OK;
    return wrong_type(file, &(*found)->tensor, "F32, F16 or BF16", error);
}

mneme_status safetensors_check_f32(const struct safetensors *file, const char *name, size_t rank,
                                   const size_t *shape, mneme_error *error) {
    const struct safetensors_entry *entry = NULL;
    return find_f32(file, name, rank, shape, &entry, error);
}

mneme_status safetensors_read_f32(const struct safetensors *file, const char *name, size_t rank,
                                  const size_t *shape, float *destination, mneme_error *error) {
    const struct safetensors_entry *entry = NULL;
    TRY(find_f32(file, name, rank, shape, &entry, error));
    enum tensor_type type = entry->tensor.type;
    TRY(type == TENSOR_F32
            ? safetensors_read_bytes(file, entry, 0, destination, entry->bytes, error)
            : read_converted(file, entry, destination, error));
    return safetensors_check_finite(file, &entry->tensor, stored_f32(destination), error);
}

mneme_status safetensors_read_exact(const struct safetensors *file, const char *name,
                                    enum tensor_type type, size_t rank, const size_t *shape,
                                    void *destination, mneme_error *error) {
    const struct safetensors_entry *entry = NULL;
    TRY(find_shaped(file, name, rank, shape, &entry, error));
    if (entry->tensor.type != type) {
        return wrong_type(file, &entry->tensor, tensor_type_name(type), error);
    }
    return safetensors_read_bytes(file, entry, 0, destination, entry->bytes, error);
}

mneme_status safetensors_read_i32(const struct safetensors *file, const char *name, size_t rank,
                                  const size_t *shape, int32_t *destination, mneme_error *error) {
    return safetensors_read_exact(file, name, TENSOR_I32, rank, shape, destination, error);
}
