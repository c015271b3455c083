#include "nn/embedding.h"

#include "profile/profile.h"
#include "simd/simd.h"

void embedding_forward(size_t n, size_t dim, const int32_t *tokens, struct stored table, float *x) {
    const struct simd_kernels *kernels = simd();
    PROFILE(embedding_forward, n, dim);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        kernels->widen(dim, stored_from(table, (size_t)tokens[i] * dim), x + i * dim);
    }
}

void embedding_backward(struct row_scatter *scatter, size_t n, size_t vocab_size, size_t dim,
                        const int32_t *tokens, const float *dx, float *dtable) {
    for (size_t i = 0; i < n; i++) {
        scatter->rows[i] = tokens[i];
        scatter->coefficients[i] = 1.0f;
        scatter->sources[i] = (int32_t)i;
    }
    row_scatter_sort(scatter, n, vocab_size);
    row_scatter_add(scatter, dim, dx, dim, dtable);
}
