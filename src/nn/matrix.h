#ifndef NN_MATRIX_H
#define NN_MATRIX_H

#include <stddef.h>

#include "simd/stored.h"

/* Element (i, j) is number i * row_stride + j * column_stride; one of the strides is 1. A right
 * operand may be stored in 16 bits, and may come with its packed form, numbers of the same type,
 * which is then read instead. */
struct matrix {
    struct stored stored;
    size_t row_stride;
    size_t column_stride;
    const void *packed; /* by matmul_pack, or NULL */
};

/* A row-major matrix whose rows are `stride` apart, and the transpose of one. */
static inline struct matrix matrix_of_rows(struct stored stored, size_t stride) {
    return (struct matrix){stored, stride, 1, NULL};
}

static inline struct matrix matrix_of_columns(struct stored stored, size_t stride) {
    return (struct matrix){stored, 1, stride, NULL};
}

/* Of floats. */
static inline struct matrix matrix_rows(const float *data, size_t stride) {
    return matrix_of_rows(stored_f32(data), stride);
}

static inline struct matrix matrix_transposed(const float *data, size_t stride) {
    return matrix_of_columns(stored_f32(data), stride);
}

#endif
