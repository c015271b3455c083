#include "nn/rope.h"

#include "profile/profile.h"
#include "simd/math.h"
#include "simd/simd.h"

void rope_table(size_t n_positions, size_t head_dim, float theta, float *cosine, float *sine) {
    for (size_t i = 0; i < head_dim / 2; i++) {
        float frequency = math_pow(theta, -(float)(2 * i) / (float)head_dim);
        for (size_t p = 0; p < n_positions; p++) {
            float angle = (float)p * frequency;
            float *c = cosine + p * head_dim + 2 * i, *s = sine + p * head_dim + 2 * i;
            c[0] = c[1] = math_cos(angle);
            s[1] = math_sin(angle);
            s[0] = -s[1];
        }
    }
}

void rope_apply(size_t n, size_t heads, size_t head_dim, const int32_t *positions,
                const float *cosine, const float *sine, float direction, float *x) {
    PROFILE(rope, n, heads, head_dim);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        const float *c = cosine + (size_t)positions[i] * head_dim;
        const float *s = sine + (size_t)positions[i] * head_dim;
        for (size_t h = 0; h < heads; h++) {
            kernels->rope_rotate(head_dim, c, s, direction, x + (i * heads + h) * head_dim);
        }
    }
}
