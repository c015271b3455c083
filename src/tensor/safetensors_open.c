#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "tensor/safetensors.h"

/* "PATH: tensor `NAME`: CAUSE" */
static mneme_status refuse(const struct safetensors *file, const char *name, const char *cause,
                           mneme_error *error) {
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: %s", file->file.path, name, cause);
}

static mneme_status check_name(const struct safetensors *file, const char *name,
                               mneme_error *error) {
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return refuse(file, name, "control character in the name", error);
        }
    }
    return MNEME_OK;
}

/* A count that fits size_t; false for anything else. */
static bool read_count(const json_t *value, size_t *count) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *count = (size_t)json_integer_value(value);
    return true;
}

static mneme_status parse_shape(const struct safetensors *file, const json_t *shape,
                                struct tensor *tensor, mneme_error *error) {
    if (!json_is_array(shape)) return refuse(file, tensor->name, "`shape` is no list", error);
    tensor->rank = json_array_size(shape);
    if (tensor->rank > TENSOR_MAX_RANK) {
        return refuse(file, tensor->name, "more than 8 dimensions", error);
    }
    for (size_t i = 0; i < tensor->rank; i++) {
        if (!read_count(json_array_get(shape, i), &tensor->shape[i])) {
            return refuse(file, tensor->name, "`shape` holds something that is no size", error);
        }
    }
    return MNEME_OK;
}

/* `data_start` and `data_size` are where the bytes after the header lie. */
static mneme_status parse_offsets(const struct safetensors *file, const json_t *offsets,
                                  uint64_t data_start, uint64_t data_size,
                                  struct safetensors_entry *entry, mneme_error *error) {
    const char *name = entry->tensor.name;
    size_t begin, end, bytes;
    if (json_array_size(offsets) != 2 || !read_count(json_array_get(offsets, 0), &begin) ||
        !read_count(json_array_get(offsets, 1), &end)) {
        return refuse(file, name, "`data_offsets` is no pair of offsets", error);
    }
    if (begin > end || end > data_size) {
        return refuse(file, name, "`data_offsets` lie outside the file", error);
    }
    if (!tensor_bytes(&entry->tensor, &bytes) || bytes != end - begin) {
        return refuse(file, name, "`data_offsets` do not fit type and shape", error);
    }
    entry->offset = data_start + begin;
    entry->bytes = bytes;
    return MNEME_OK;
}

static mneme_status parse_entry(const struct safetensors *file, const char *name,
                                const json_t *value, uint64_t data_start,
                                struct safetensors_entry *entry, mneme_error *error) {
    entry->tensor.name = name;
    TRY(check_name(file, name, error));
    const char *type = json_string_value(json_object_get(value, "dtype"));
    if (type == NULL || json_object_size(value) != 3) {
        return refuse(file, name, "must have `dtype`, `shape` and `data_offsets`, no more", error);
    }
    if (!tensor_type_from_name(type, &entry->tensor.type)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: unknown dtype `%.32s`",
                         file->file.path, name, type);
    }
    TRY(parse_shape(file, json_object_get(value, "shape"), &entry->tensor, error));
    return parse_offsets(file, json_object_get(value, "data_offsets"), data_start,
                         file->file.size - data_start, entry, error);
}

static int compare_offsets(const void *a, const void *b) {
    const struct safetensors_entry *left = a, *right = b;
    if (left->offset != right->offset) return left->offset < right->offset ? -1 : 1;
    if (left->bytes != right->bytes) return left->bytes < right->bytes ? -1 : 1;
    return strcmp(left->tensor.name, right->tensor.name);
}

static int compare_entries(const void *a, const void *b) {
    return strcmp(((const struct safetensors_entry *)a)->tensor.name,
                  ((const struct safetensors_entry *)b)->tensor.name);
}

/* No gap, no overlap, nothing after the last tensor. Leaves the entries sorted by name. */
static mneme_status check_coverage(struct safetensors *file, uint64_t data_start,
                                   mneme_error *error) {
    if (file->n > 1) qsort(file->entries, file->n, sizeof *file->entries, compare_offsets);
    uint64_t next = data_start;
    for (size_t i = 0; i < file->n; i++) {
        const struct safetensors_entry *entry = &file->entries[i];
        if (entry->offset != next) {
            return refuse(file, entry->tensor.name,
                          entry->offset < next ? "overlaps another tensor" : "gap before its bytes",
                          error);
        }
        next += entry->bytes;
    }
    if (next != file->file.size) {
        return error_set(error, MNEME_BAD_INPUT, "%s: %llu bytes after the last tensor",
                         file->file.path, (unsigned long long)(file->file.size - next));
    }
    if (file->n > 1) qsort(file->entries, file->n, sizeof *file->entries, compare_entries);
    return MNEME_OK;
}

static mneme_status check_metadata(const struct safetensors *file, json_t *metadata,
                                   mneme_error *error) {
    const char *key;
    json_t *value;
    bool valid = metadata == NULL || json_is_object(metadata);
    json_object_foreach(metadata, key, value) valid = valid && json_is_string(value);
    if (valid) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: `__metadata__` must map strings to strings",
                     file->file.path);
}

/* Reads and parses the header; *data_start is where the tensors' bytes begin. */
static mneme_status read_header(struct safetensors *file, uint64_t *data_start,
                                mneme_error *error) {
    const char *path = file->file.path;
    uint64_t length;
    if (file->file.size < sizeof length) {
        return error_set(error, MNEME_BAD_INPUT, "%s: too short for a safetensors file", path);
    }
    TRY(file_reader_read(&file->file, 0, &length, sizeof length, error));
    if (length > file->file.size - sizeof length) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: not a safetensors file, or cut short: the header would be %llu bytes",
                         path, (unsigned long long)length);
    }
    if (length > SAFETENSORS_MAX_HEADER) {
        return error_set(error, MNEME_BAD_INPUT, "%s: header of %llu bytes is too large", path,
                         (unsigned long long)length);
    }
    char *text = malloc((size_t)length + 1);
    if (text == NULL) return error_set_memory(error, path);
    mneme_status status = file_reader_read(&file->file, sizeof length, text, (size_t)length, error);
    if (status == MNEME_OK) {
        json_error_t cause;
        file->header = json_parse(text, (size_t)length, JSON_REJECT_DUPLICATES, &cause);
        if (!json_is_object(file->header)) {
            status = error_set(error, MNEME_BAD_INPUT, "%s: header at byte %d: %s", path,
                               8 + cause.position,
                               file->header == NULL ? cause.text : "must be an object");
        }
    }
    free(text);
    *data_start = sizeof length + length;
    return status;
}

static mneme_status parse_entries(struct safetensors *file, uint64_t data_start,
                                  mneme_error *error) {
    file->entries = memory_allocate(json_object_size(file->header), sizeof *file->entries);
    if (file->entries == NULL) return error_set_memory(error, file->file.path);
    const char *name;
    json_t *value;
    json_object_foreach(file->header, name, value) {
        if (strcmp(name, "__metadata__") == 0) continue;
        TRY(parse_entry(file, name, value, data_start, &file->entries[file->n], error));
        file->n++;
    }
    return MNEME_OK;
}

mneme_status safetensors_open(struct safetensors *file, const char *path, mneme_error *error) {
    *file = (struct safetensors){0};
    uint64_t data_start = 0;
    mneme_status status = file_reader_open(&file->file, path, error);
    THEN(read_header(file, &data_start, error));
    THEN(check_metadata(file, json_object_get(file->header, "__metadata__"), error));
    THEN(parse_entries(file, data_start, error));
    THEN(check_coverage(file, data_start, error));
    if (status != MNEME_OK) safetensors_close(file);
    return status;
}

void safetensors_close(struct safetensors *file) {
    file_reader_close(&file->file);
    json_decref(file->header);
    free(file->entries);
    *file = (struct safetensors){0};
}
