#include "nn/rope.h"

#include "profile/profile.h"
#include "simd/math.h"
#include "simd/simd.h"

#define TWO_PI 6.28318530717958647692f

/* transformers' operations one by one, in float32; a / x is there a * (1 / x). */
static float llama3_frequency(const struct rope *rope, float frequency) {
    const float wavelength = 1.0f / frequency * TWO_PI;
    if (wavelength < rope->original / rope->high_freq) return frequency;
    if (wavelength > rope->original / rope->low_freq) return frequency / rope->factor;
    const float turns = 1.0f / wavelength * rope->original;
    const float smooth = (turns - rope->low_freq) / (rope->high_freq - rope->low_freq);
    return (1.0f - smooth) * frequency / rope->factor + smooth * frequency;
}

float rope_frequency(size_t head_dim, const struct rope *rope, size_t i) {
    const float exponent = (float)(2 * i) / (float)head_dim;
    const float frequency = rope->rule == ROPE_OF_TRANSFORMERS
                                ? 1.0f / math_pow(rope->theta, exponent)
                                : math_pow(rope->theta, -exponent);
    switch (rope->scaling) {
        case ROPE_LINEAR:
            return frequency / rope->factor;
        case ROPE_LLAMA3:
            return llama3_frequency(rope, frequency);
        default:
            return frequency;
    }
}

void rope_table(size_t n_positions, size_t head_dim, const struct rope *rope, float *cosine,
                float *sine) {
    for (size_t i = 0; i < head_dim / 2; i++) {
        float frequency = rope_frequency(head_dim, rope, i);
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
