#ifndef TENSOR_RECORDER_H
#define TENSOR_RECORDER_H

#include <stdarg.h>
#include <stddef.h>

#include "tensor/safetensors.h"
#include "tensor/tensor.h"

/* Copies of a computation's results, in the order in which it made them. A computation that can be
 * recorded has a pointer to a recorder; usually it is NULL, and nothing is copied. */
struct recorder {
    size_t n;
    size_t capacity;
    struct tensor *tensors; /* names "000012.forward.layers.1.query": they ascend in that order */
    bool failed;            /* memory was short */
};

/* Appends a copy of data [rows, columns] under a name without its number. Does nothing when
 * recorder is NULL. */
void recorder_add(struct recorder *recorder, enum tensor_type type, size_t rows, size_t columns,
                  const void *data, const char *format, ...) MNEME_PRINTF(6, 7);

/* Writes all as a safetensors file; also fails if a copy could not be made. */
mneme_status recorder_save(const struct recorder *recorder, const char *path,
                           const struct safetensors_metadata *metadata, size_t n_metadata,
                           mneme_error *error);
/* Does nothing to {0}. */
void recorder_close(struct recorder *recorder);

#endif
