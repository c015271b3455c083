#include "nn/rms_norm.h"

#include "profile/profile.h"
#include "simd/simd.h"

void rms_norm_forward(size_t n, size_t dim, const float *x, const float *gain, float eps, float *y,
                      float *r) {
    PROFILE(rms_norm_forward, n, dim);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        r[i] = kernels->rms_norm_row(dim, x + i * dim, gain, eps, y + i * dim);
    }
}

void rms_norm_backward(size_t n, size_t dim, const float *x, const float *gain, const float *r,
                       const float *dy, float *dx, float *dgain) {
    const struct simd_kernels *kernels = simd();
    const size_t columns = 32;
    PROFILE(rms_norm_backward, n, dim, dgain != NULL);
    if (dgain != NULL) {
#pragma omp parallel for schedule(static)
        for (size_t j = 0; j < dim; j += columns) {
            size_t width = dim - j < columns ? dim - j : columns;
            kernels->rms_norm_gain_gradient(n, width, dim, x + j, r, dy + j, dgain + j);
        }
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        size_t row = i * dim;
        kernels->rms_norm_row_backward(dim, x + row, gain, r[i], dy + row, dx + row);
    }
}
