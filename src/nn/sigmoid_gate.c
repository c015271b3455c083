#include "nn/sigmoid_gate.h"

#include "profile/profile.h"
#include "simd/math.h"
#include "simd/simd.h"

static float sigmoid(float x) {
    return 1.0f / (1.0f + math_exp(-x));
}

/* y [dim] = s x */
static void scale_row(size_t dim, float s, const float *x, float *y) {
    for (size_t j = 0; j < dim; j++) y[j] = s * x[j];
}

void sigmoid_gate_forward(size_t n, size_t dim, const float *gate, const float *x, float *y) {
    PROFILE(sigmoid_gate_forward, n, dim);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) scale_row(dim, sigmoid(gate[i]), x + i * dim, y + i * dim);
}

void sigmoid_gate_backward(size_t n, size_t dim, const float *gate, const float *x, const float *dy,
                           float *dgate, float *dx) {
    const struct simd_kernels *kernels = simd();
    PROFILE(sigmoid_gate_backward, n, dim);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        float s = sigmoid(gate[i]);
        dgate[i] = s * (1.0f - s) * kernels->reduce_dot(dim, dy + i * dim, x + i * dim);
        scale_row(dim, s, dy + i * dim, dx + i * dim);
    }
}
