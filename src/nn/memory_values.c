#include "nn/memory_values.h"

#include "profile/profile.h"
#include "simd/simd.h"

void memory_values_forward(size_t n, size_t n_reads, size_t v_dim, const int32_t *slots,
                           const float *weights, const struct row_table *table, float *read) {
    PROFILE(memory_values_forward, n, n_reads, v_dim);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        row_table_gather(kernels, table, n_reads, v_dim, weights + i * n_reads, slots + i * n_reads,
                         read + i * v_dim);
    }
}

void memory_values_backward_weights(size_t n, size_t n_reads, size_t v_dim, const int32_t *slots,
                                    const struct row_table *table, const float *dread,
                                    float *dweights) {
    PROFILE(memory_values_backward, n, n_reads, v_dim);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        row_table_dots(kernels, table, n_reads, v_dim, slots + i * n_reads, dread + i * v_dim,
                       dweights + i * n_reads);
    }
}
