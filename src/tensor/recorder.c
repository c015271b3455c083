#include "tensor/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define NAME_SIZE 160

/* A named copy; false without memory. */
static bool copy(struct tensor *tensor, const char *name, const void *data) {
    size_t bytes;
    if (!tensor_bytes(tensor, &bytes)) return false;
    void *kept = malloc(bytes > 0 ? bytes : 1);
    tensor->name = strdup(name);
    tensor->data = kept;
    if (kept == NULL || tensor->name == NULL) {
        free(kept);
        free((char *)tensor->name);
        return false;
    }
    memcpy(kept, data, bytes);
    return true;
}

void recorder_add(struct recorder *recorder, enum tensor_type type, size_t rows, size_t columns,
                  const void *data, const char *format, ...) {
    if (recorder == NULL || recorder->failed) return;
    char name[NAME_SIZE];
    int used = snprintf(name, sizeof name, "%06zu.", recorder->n);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name + used, sizeof name - (size_t)used, format, arguments);
    va_end(arguments);
    struct tensor tensor = {.type = type, .rank = 2, .shape = {rows, columns}};
    void *tensors = recorder->tensors;
    recorder->failed = memory_grow(&tensors, &recorder->capacity, recorder->n + 1, sizeof tensor,
                                   "a recording", NULL) != MNEME_OK ||
                       !copy(&tensor, name, data);
    recorder->tensors = tensors;
    if (!recorder->failed) recorder->tensors[recorder->n++] = tensor;
}

mneme_status recorder_save(const struct recorder *recorder, const char *path,
                           const struct safetensors_metadata *metadata, size_t n_metadata,
                           mneme_error *error) {
    if (recorder->failed) return error_set_memory(error, "a recording");
    return safetensors_write_sealed(path, recorder->tensors, recorder->n, metadata, n_metadata,
                                    error);
}

void recorder_close(struct recorder *recorder) {
    for (size_t i = 0; i < recorder->n; i++) {
        free((char *)recorder->tensors[i].name);
        free((void *)recorder->tensors[i].data);
    }
    free(recorder->tensors);
    *recorder = (struct recorder){0};
}
