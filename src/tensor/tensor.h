#ifndef TENSOR_TENSOR_H
#define TENSOR_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "simd/stored.h"

/* A named array as files hold it. */

#define TENSOR_MAX_RANK 8

/* Element types under their safetensors names, in the order of the reference implementation (which
 * decides the order of tensors in a file); sizes ascend. */
enum tensor_type {
    TENSOR_BOOL,
    TENSOR_U8,
    TENSOR_I8,
    TENSOR_I16,
    TENSOR_U16,
    TENSOR_F16,
    TENSOR_BF16,
    TENSOR_I32,
    TENSOR_U32,
    TENSOR_F32,
    TENSOR_F64,
    TENSOR_I64,
    TENSOR_U64,
    TENSOR_N_TYPES,
};

/* A view: it does not own name and data. Elements are little-endian, rows outermost. */
struct tensor {
    const char *name;
    enum tensor_type type;
    size_t rank;
    size_t shape[TENSOR_MAX_RANK];
    const void *data; /* [shape], or NULL for the description alone; what `read` reads */
    /* NULL, or gives n elements from number `first` on: they do not lie in memory as files hold
     * them. */
    void (*read)(const void *data, enum tensor_type type, size_t first, size_t n, void *elements);
};

/* "F32" and the like. */
const char *tensor_type_name(enum tensor_type type);
/* False for a type that is not in the list. */
bool tensor_type_from_name(const char *name, enum tensor_type *type);
/* Bytes of one element. */
size_t tensor_type_size(enum tensor_type type);

/* The bytes of all elements; false when that does not fit. */
bool tensor_bytes(const struct tensor *tensor, size_t *bytes);

/* The type of numbers that are computed with as f32; false for another. */
bool tensor_type_stored(enum tensor_type type, enum stored_type *stored);
enum tensor_type tensor_type_of(enum stored_type stored);

/* The first of n numbers that is an infinity or NaN, or n. */
size_t tensor_first_not_finite(struct stored values, size_t n);

/* Hands all bytes of a tensor on, in their order and in pieces. */
typedef mneme_status tensor_take(void *user, const void *bytes, size_t length, mneme_error *error);
mneme_status tensor_pass_on(const struct tensor *tensor, tensor_take *take, void *user,
                            mneme_error *error);

/* Room for any shape as text. */
#define TENSOR_SHAPE_TEXT (TENSOR_MAX_RANK * 21 + 3)
/* "[2,3]"; "[]" for a scalar. */
void tensor_shape_text(size_t rank, const size_t *shape, char text[TENSOR_SHAPE_TEXT]);

/* qsort order by name, by byte. */
int tensor_compare_names(const void *a, const void *b);

#endif
