#include "nn/linear.h"

#include "nn/elementwise.h"
#include "profile/profile.h"
#include "simd/simd.h"

void linear_forward(struct matmul_scratch *scratch, size_t n, size_t in, size_t out, const float *x,
                    struct stored weight, const void *packed, const float *bias, float *y) {
    PROFILE(linear_forward, n, in, out, bias != NULL);
    struct matrix transposed = matrix_of_columns(weight, in);
    transposed.packed = packed;
    matmul(scratch, n, out, in, matrix_rows(x, in), transposed, y, out, false);
    if (bias == NULL) return;
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) kernels->add(out, bias, y + i * out);
}

void linear_backward_input(struct matmul_scratch *scratch, size_t n, size_t in, size_t out,
                           const float *dy, struct stored weight, const void *packed, float *dx,
                           bool accumulate) {
    PROFILE(linear_backward_input, n, in, out, accumulate);
    struct matrix rows = matrix_of_rows(weight, in);
    rows.packed = packed;
    matmul(scratch, n, in, out, matrix_rows(dy, out), rows, dx, in, accumulate);
}

void linear_backward_weight(struct matmul_scratch *scratch, size_t n, size_t in, size_t out,
                            const float *x, const float *dy, float *dweight) {
    PROFILE(linear_backward_weight, n, in, out);
    matmul(scratch, out, in, n, matrix_transposed(dy, out), matrix_rows(x, in), dweight, in, true);
}

void linear_backward_bias(size_t n, size_t out, const float *dy, float *dbias) {
    const struct simd_kernels *kernels = simd();
    const size_t columns = 64;
    PROFILE(linear_backward_bias, n, out);
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < out; j += columns) {
        size_t width = out - j < columns ? out - j : columns;
        kernels->column_sums(n, width, out, dy + j, dbias + j);
    }
}

void lora_forward(struct matmul_scratch *scratch, size_t n, size_t in, size_t out, size_t rank,
                  float scale, const float *x, const float *a, const float *b, float *hidden,
                  float *y) {
    PROFILE(lora_forward, n, rank, out);
    linear_forward(scratch, n, in, rank, x, stored_f32(a), NULL, NULL, hidden);
    elementwise_scale(n * rank, scale, hidden);
    matmul(scratch, n, out, rank, matrix_rows(hidden, rank), matrix_transposed(b, rank), y, out,
           true);
}

void lora_backward(struct matmul_scratch *scratch, size_t n, size_t in, size_t out, size_t rank,
                   float scale, const float *x, const float *a, const float *b, const float *hidden,
                   const float *dy, float *dhidden, float *da, float *db, float *dx) {
    linear_backward_weight(scratch, n, rank, out, hidden, dy, db);
    linear_backward_input(scratch, n, rank, out, dy, stored_f32(b), NULL, dhidden, false);
    elementwise_scale(n * rank, scale, dhidden);
    linear_backward_weight(scratch, n, in, rank, x, dhidden, da);
    if (dx != NULL) {
        linear_backward_input(scratch, n, in, rank, dhidden, stored_f32(a), NULL, dx, true);
    }
}

void lora_merge(struct matmul_scratch *scratch, size_t in, size_t out, size_t rank, float scale,
                const float *a, const float *b, float *scaled, float *weight) {
    PROFILE(lora_merge, rank, in, out);
    for (size_t i = 0; i < rank * in; i++) scaled[i] = scale * a[i];
    matmul(scratch, out, in, rank, matrix_rows(b, rank), matrix_rows(scaled, in), weight, in, true);
}
