#ifndef NN_MATRIX_H
#define NN_MATRIX_H

#include <stddef.h>

/* Element (i, j) is data[i * row_stride + j * column_stride]; one of the strides is 1. A right
 * operand may come with its packed form, which is then read instead. */
struct matrix {
    const float *data;
    size_t row_stride;
    size_t column_stride;
    const float *packed; /* by matmul_pack, or NULL */
};

/* A row-major matrix whose rows are `stride` apart, and the transpose of one. */
static inline struct matrix matrix_rows(const float *data, size_t stride) {
    return (struct matrix){data, stride, 1, NULL};
}

static inline struct matrix matrix_transposed(const float *data, size_t stride) {
    return (struct matrix){data, 1, stride, NULL};
}

#endif
