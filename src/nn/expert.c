#include "nn/expert.h"

#include "profile/profile.h"
#include "simd/simd.h"

void expert_forward(size_t n, size_t n_reads, size_t dim, const int32_t *slots,
                    const float *weights, const struct row_table *u, const float *x, float *hidden,
                    float *expert_weights) {
    const struct simd_kernels *kernels = simd();
    PROFILE(expert_forward, n, n_reads, dim);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        size_t first = i * n_reads;
        row_table_dots(kernels, u, n_reads, dim, slots + first, x + i * dim, hidden + first);
        kernels->gelu_multiply(n_reads, hidden + first, weights + first, expert_weights + first);
    }
}

void expert_backward(size_t n, size_t n_reads, const float *weights, const float *hidden,
                     float *d_weights, float *d_hidden) {
    const struct simd_kernels *kernels = simd();
    PROFILE(expert_backward, n, n_reads);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        size_t first = i * n_reads;
        kernels->gelu_multiply_backward(n_reads, hidden + first, weights + first, d_weights + first,
                                        d_hidden + first, d_weights + first);
    }
}
