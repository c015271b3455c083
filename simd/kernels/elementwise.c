#include "simd/vec.h"

void SIMD_FN(add)(size_t n, const float *x, float *y) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i)));
    }
    if (i < n) {
        vf sum = vf_add(vf_load_part(y + i, n - i, 0.0f), vf_load_part(x + i, n - i, 0.0f));
        vf_store_part(y + i, sum, n - i);
    }
}

void SIMD_FN(add_scaled)(size_t n, float a, const float *x, float *y) {
    vf factor = vf_set1(a);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf_store(y + i, vf_fma(factor, vf_load(x + i), vf_load(y + i)));
    }
    if (i < n) {
        vf part = vf_load_part(x + i, n - i, 0.0f);
        vf_store_part(y + i, vf_fma(factor, part, vf_load_part(y + i, n - i, 0.0f)), n - i);
    }
}

/* silu(a) * b = (a / (1 + exp(-a))) * b */
static inline vf silu_times(vf a, vf b) {
    vf denominator = vf_add(vf_set1(1.0f), vf_exp(vf_negate(a)));
    return vf_mul(vf_div(a, denominator), b);
}

void SIMD_FN(silu_multiply)(size_t n, const float *a, const float *b, float *y) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf_store(y + i, silu_times(vf_load(a + i), vf_load(b + i)));
    }
    if (i < n) {
        vf part_a = vf_load_part(a + i, n - i, 0.0f), part_b = vf_load_part(b + i, n - i, 0.0f);
        vf_store_part(y + i, silu_times(part_a, part_b), n - i);
    }
}

struct silu_gradients {
    vf da, db;
};

static inline struct silu_gradients silu_times_backward(vf a, vf b, vf dy) {
    const vf one = vf_set1(1.0f);
    vf s = vf_div(one, vf_add(one, vf_exp(vf_negate(a))));
    vf slope = vf_mul(s, vf_add(one, vf_mul(a, vf_sub(one, s))));
    return (struct silu_gradients){.da = vf_mul(vf_mul(dy, b), slope),
                                   .db = vf_mul(dy, vf_mul(a, s))};
}

void SIMD_FN(silu_multiply_backward)(size_t n, const float *a, const float *b, const float *dy,
                                     float *da, float *db) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        struct silu_gradients g =
            silu_times_backward(vf_load(a + i), vf_load(b + i), vf_load(dy + i));
        vf_store(da + i, g.da);
        vf_store(db + i, g.db);
    }
    if (i < n) {
        size_t rest = n - i;
        struct silu_gradients g =
            silu_times_backward(vf_load_part(a + i, rest, 0.0f), vf_load_part(b + i, rest, 0.0f),
                                vf_load_part(dy + i, rest, 0.0f));
        vf_store_part(da + i, g.da, rest);
        vf_store_part(db + i, g.db, rest);
    }
}

static inline vf rotate_pairs(vf x, vf cosine, vf sine) {
    return vf_add(vf_mul(x, cosine), vf_mul(vf_swap_pairs(x), sine));
}

void SIMD_FN(rope_rotate)(size_t n, const float *cosine, const float *sine, float direction,
                          float *x) {
    vf sign = vf_set1(direction);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf turned = vf_mul(sign, vf_load(sine + i));
        vf_store(x + i, rotate_pairs(vf_load(x + i), vf_load(cosine + i), turned));
    }
    if (i < n) {
        size_t rest = n - i;
        vf turned = vf_mul(sign, vf_load_part(sine + i, rest, 0.0f));
        vf part = vf_load_part(x + i, rest, 0.0f);
        vf_store_part(x + i, rotate_pairs(part, vf_load_part(cosine + i, rest, 0.0f), turned),
                      rest);
    }
}
