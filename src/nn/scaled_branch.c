#include "nn/scaled_branch.h"

#include "profile/profile.h"
#include "simd/simd.h"

void scaled_branch_forward(size_t n, size_t dim, float scale, const float *x, float *y) {
    const struct simd_kernels *kernels = simd();
    PROFILE(scaled_branch_forward, n, dim);
    if (scale == 0.0f) return;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) kernels->mix_in(dim, scale, x + i * dim, y + i * dim);
}

void scaled_branch_backward(size_t n, size_t dim, float scale, const float *x, const float *dy,
                            float *dx, float *dots, float *dscale) {
    const struct simd_kernels *kernels = simd();
    PROFILE(scaled_branch_backward, n, dim, dscale != NULL);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        const float *from = dy + i * dim;
        if (dscale != NULL) dots[i] = kernels->reduce_dot(dim, from, x + i * dim);
        for (size_t j = 0; j < dim; j++) dx[i * dim + j] = scale * from[j];
    }
    if (dscale != NULL) kernels->column_sums(n, 1, 1, dots, dscale);
}
