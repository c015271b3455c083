#include "nn/elementwise.h"

#include "profile/profile.h"
#include "simd/simd.h"

/* Work is handed out in pieces of this many elements: whole vectors, one trip to the cache. */
#define PIECE 4096

static size_t piece(size_t n, size_t first) {
    return n - first < PIECE ? n - first : PIECE;
}

void elementwise_add(size_t n, const float *x, float *y) {
    PROFILE(add, n);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i += PIECE) kernels->add(piece(n, i), x + i, y + i);
}

void elementwise_scale(size_t n, float a, float *y) {
    PROFILE(scale, n);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) y[i] *= a;
}

void elementwise_silu_multiply(size_t n, const float *a, const float *b, float *y) {
    PROFILE(silu_multiply, n);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i += PIECE) {
        kernels->silu_multiply(piece(n, i), a + i, b + i, y + i);
    }
}

void elementwise_silu_multiply_backward(size_t n, const float *a, const float *b, const float *dy,
                                        float *da, float *db) {
    PROFILE(silu_multiply_backward, n);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i += PIECE) {
        kernels->silu_multiply_backward(piece(n, i), a + i, b + i, dy + i, da + i, db + i);
    }
}
