#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "tensor/safetensors.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files hold little-endian numbers");

/* The reference's order: later types, which are no narrower, first, so that no tensor starts
 * unaligned; then names. */
static int compare_for_file(const void *a, const void *b) {
    const struct tensor *left = a, *right = b;
    if (left->type != right->type) return left->type > right->type ? -1 : 1;
    return strcmp(left->name, right->name);
}

static json_t *metadata_to_json(const struct safetensors_metadata *metadata, size_t n) {
    json_t *object = json_object();
    for (size_t i = 0; i < n; i++) {
        if (json_object_set_new(object, metadata[i].key, json_string(metadata[i].value)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* {"dtype", "shape", "data_offsets"} */
static json_t *tensor_to_json(const struct tensor *tensor, size_t begin, size_t end) {
    json_t *shape = json_array();
    for (size_t i = 0; i < tensor->rank; i++) {
        json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor_type_name(tensor->type), "shape",
                     shape, "data_offsets", (json_int_t)begin, (json_int_t)end);
}

static mneme_status add_to_header(const char *path, const struct tensor *tensor, size_t *offset,
                                  json_t *header, mneme_error *error) {
    size_t bytes, end;
    const char *name = tensor->name;
    if (!tensor_bytes(tensor, &bytes) || __builtin_add_overflow(*offset, bytes, &end) ||
        end > INT64_MAX) {
        return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: too large", path, name);
    }
    if (json_object_get(header, name) != NULL || strcmp(name, "__metadata__") == 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: name is taken", path, name);
    }
    if (json_object_set_new(header, name, tensor_to_json(tensor, *offset, end)) != 0) {
        return error_set(error, MNEME_FAILED, "%s: tensor `%s`: cannot be described in JSON", path,
                         name);
    }
    *offset = end;
    return MNEME_OK;
}

/* The header as text without its padding; entries stand in the tensors' order. */
static mneme_status make_header(const char *path, const struct tensor *tensors, size_t n,
                                json_t *metadata, char **text, mneme_error *error) {
    mneme_status status = MNEME_OK;
    json_t *header = json_object();
    if (json_object_size(metadata) > 0) json_object_set(header, "__metadata__", metadata);
    size_t offset = 0;
    for (size_t i = 0; i < n; i++) THEN(add_to_header(path, &tensors[i], &offset, header, error));
    if (status == MNEME_OK) *text = json_print(header, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (status == MNEME_OK && *text == NULL) status = error_set_memory(error, path);
    json_decref(header);
    return status;
}

/* The length, the text, and spaces up to a multiple of 8. */
static mneme_status write_header(struct file_writer *writer, const char *text, mneme_error *error) {
    size_t length = strlen(text);
    uint64_t padded = (length + 7) / 8 * 8;
    mneme_status status = file_writer_write(writer, &padded, sizeof padded, error);
    THEN(file_writer_write(writer, text, length, error));
    THEN(file_writer_write(writer, "        ", (size_t)padded - length, error));
    return status;
}

static int compare_metadata(const void *a, const void *b) {
    return strcmp(((const struct safetensors_metadata *)a)->key,
                  ((const struct safetensors_metadata *)b)->key);
}

/* The metadata as an object whose keys ascend; NULL without memory or for invalid UTF-8. */
static json_t *sorted_metadata(const struct safetensors_metadata *metadata, size_t n) {
    struct safetensors_metadata *sorted = calloc(n + 1, sizeof *sorted);
    if (sorted == NULL) return NULL;
    if (n > 0) memcpy(sorted, metadata, n * sizeof *sorted);
    if (n > 1) qsort(sorted, n, sizeof *sorted, compare_metadata);
    json_t *object = metadata_to_json(sorted, n);
    free(sorted);
    return object;
}

/* The tensors in the file's order. */
static struct tensor *sorted_tensors(const struct tensor *tensors, size_t n) {
    struct tensor *sorted = calloc(n + 1, sizeof *sorted);
    if (sorted == NULL) return NULL;
    if (n > 0) memcpy(sorted, tensors, n * sizeof *sorted);
    if (n > 1) qsort(sorted, n, sizeof *sorted, compare_for_file);
    return sorted;
}

static mneme_status take_bytes(void *user, const void *bytes, size_t length, mneme_error *error) {
    return file_writer_write(user, bytes, length, error);
}

mneme_status safetensors_write(const char *path, const struct tensor *tensors, size_t n,
                               const struct safetensors_metadata *metadata, size_t n_metadata,
                               mneme_error *error) {
    char *text = NULL;
    struct file_writer writer = {0};
    mneme_status status = MNEME_OK;
    struct tensor *sorted = sorted_tensors(tensors, n);
    json_t *metadata_object = sorted_metadata(metadata, n_metadata);
    if (sorted == NULL || metadata_object == NULL) {
        status = error_set(error, MNEME_FAILED, "%s: cannot make the header", path);
    }
    THEN(make_header(path, sorted, n, metadata_object, &text, error));
    THEN(file_writer_open(&writer, path, error));
    THEN(write_header(&writer, text, error));
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        status = tensor_pass_on(&sorted[i], take_bytes, &writer, error);
    }
    THEN(file_writer_finish(&writer, error));
    file_writer_abandon(&writer);
    free(text);
    free(sorted);
    json_decref(metadata_object);
    return status;
}
