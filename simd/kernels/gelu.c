#include "simd/vec.h"

#define SQRT_HALF 0.70710678118654752440f
#define DENSITY_AT_ZERO 0.39894228040143267794f /* 1 / sqrt(2 pi) */

/* The normal distribution's probability of values up to a. */
static inline vf normal_below(vf a) {
    vf erf = vf_erf(vf_mul(a, vf_set1(SQRT_HALF)));
    return vf_mul(vf_set1(0.5f), vf_add(vf_set1(1.0f), erf));
}

static inline vf gelu_times(vf a, vf b) {
    return vf_mul(vf_mul(a, normal_below(a)), b);
}

void SIMD_FN(gelu_multiply)(size_t n, const float *a, const float *b, float *y) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf_store(y + i, gelu_times(vf_load(a + i), vf_load(b + i)));
    }
    if (i < n) {
        vf part_a = vf_load_part(a + i, n - i, 0.0f), part_b = vf_load_part(b + i, n - i, 0.0f);
        vf_store_part(y + i, gelu_times(part_a, part_b), n - i);
    }
}

struct gelu_gradients {
    vf da, db;
};

static inline struct gelu_gradients gelu_times_backward(vf a, vf b, vf dy) {
    vf below = normal_below(a);
    vf exponent = vf_mul(vf_mul(vf_set1(-0.5f), a), a);
    vf density = vf_mul(vf_set1(DENSITY_AT_ZERO), vf_exp(exponent));
    vf slope = vf_add(below, vf_mul(a, density));
    return (struct gelu_gradients){.da = vf_mul(vf_mul(dy, b), slope),
                                   .db = vf_mul(dy, vf_mul(a, below))};
}

void SIMD_FN(gelu_multiply_backward)(size_t n, const float *a, const float *b, const float *dy,
                                     float *da, float *db) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        struct gelu_gradients g =
            gelu_times_backward(vf_load(a + i), vf_load(b + i), vf_load(dy + i));
        vf_store(da + i, g.da);
        vf_store(db + i, g.db);
    }
    if (i < n) {
        size_t rest = n - i;
        struct gelu_gradients g =
            gelu_times_backward(vf_load_part(a + i, rest, 0.0f), vf_load_part(b + i, rest, 0.0f),
                                vf_load_part(dy + i, rest, 0.0f));
        vf_store_part(da + i, g.da, rest);
        vf_store_part(db + i, g.db, rest);
    }
}
