#include "simd/vec.h"

#define SQRT_HALF 0.70710678118654752440f
#define DENSITY_AT_ZERO 0.39894228040143267794f /* 1 / sqrt(2 pi) */

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

/* With a < 0 the product of a +0 is -0, to which adding changes nothing. */
static inline vf mixed(vf factor, bool flips, vf x, vf y) {
    return flips ? vf_negate(vf_fma(factor, x, vf_negate(y))) : vf_fma(factor, x, y);
}

void SIMD_FN(mix_in)(size_t n, float a, const float *x, float *y) {
    const bool flips = a > 0.0f;
    const vf factor = vf_set1(flips ? -a : a);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf_store(y + i, mixed(factor, flips, vf_load(x + i), vf_load(y + i)));
    }
    if (i < n) {
        vf part_x = vf_load_part(x + i, n - i, 0.0f), part_y = vf_load_part(y + i, n - i, 0.0f);
        vf_store_part(y + i, mixed(factor, flips, part_x, part_y), n - i);
    }
}

/* y = f(a, b) and {da, db} = f(a, b, dy); f is a constant at every call. */
struct gradients {
    vf da, db;
};
typedef vf product(vf a, vf b);
typedef struct gradients product_backward(vf a, vf b, vf dy);

INLINE void multiply(product *f, size_t n, const float *a, const float *b, float *y) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf_store(y + i, f(vf_load(a + i), vf_load(b + i)));
    }
    if (i < n) {
        vf part_a = vf_load_part(a + i, n - i, 0.0f), part_b = vf_load_part(b + i, n - i, 0.0f);
        vf_store_part(y + i, f(part_a, part_b), n - i);
    }
}

INLINE void multiply_backward(product_backward *f, size_t n, const float *a, const float *b,
                              const float *dy, float *da, float *db) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        struct gradients g = f(vf_load(a + i), vf_load(b + i), vf_load(dy + i));
        vf_store(da + i, g.da);
        vf_store(db + i, g.db);
    }
    if (i < n) {
        size_t rest = n - i;
        struct gradients g = f(vf_load_part(a + i, rest, 0.0f), vf_load_part(b + i, rest, 0.0f),
                               vf_load_part(dy + i, rest, 0.0f));
        vf_store_part(da + i, g.da, rest);
        vf_store_part(db + i, g.db, rest);
    }
}

/* silu(a) * b = (a / (1 + exp(-a))) * b */
static inline vf silu_times(vf a, vf b) {
    vf denominator = vf_add(vf_set1(1.0f), vf_exp(vf_negate(a)));
    return vf_mul(vf_div(a, denominator), b);
}

static inline struct gradients silu_times_backward(vf a, vf b, vf dy) {
    const vf one = vf_set1(1.0f);
    vf s = vf_div(one, vf_add(one, vf_exp(vf_negate(a))));
    vf slope = vf_mul(s, vf_add(one, vf_mul(a, vf_sub(one, s))));
    return (struct gradients){.da = vf_mul(vf_mul(dy, b), slope), .db = vf_mul(dy, vf_mul(a, s))};
}

void SIMD_FN(silu_multiply)(size_t n, const float *a, const float *b, float *y) {
    multiply(silu_times, n, a, b, y);
}

void SIMD_FN(silu_multiply_backward)(size_t n, const float *a, const float *b, const float *dy,
                                     float *da, float *db) {
    multiply_backward(silu_times_backward, n, a, b, dy, da, db);
}

/* The normal distribution's probability of values up to a. */
static inline vf normal_below(vf a) {
    vf erf = vf_erf(vf_mul(a, vf_set1(SQRT_HALF)));
    return vf_mul(vf_set1(0.5f), vf_add(vf_set1(1.0f), erf));
}

static inline vf gelu_times(vf a, vf b) {
    return vf_mul(vf_mul(a, normal_below(a)), b);
}

static inline struct gradients gelu_times_backward(vf a, vf b, vf dy) {
    vf below = normal_below(a);
    vf exponent = vf_mul(vf_mul(vf_set1(-0.5f), a), a);
    vf density = vf_mul(vf_set1(DENSITY_AT_ZERO), vf_exp(exponent));
    vf slope = vf_add(below, vf_mul(a, density));
    return (struct gradients){.da = vf_mul(vf_mul(dy, b), slope),
                              .db = vf_mul(dy, vf_mul(a, below))};
}

void SIMD_FN(gelu_multiply)(size_t n, const float *a, const float *b, float *y) {
    multiply(gelu_times, n, a, b, y);
}

void SIMD_FN(gelu_multiply_backward)(size_t n, const float *a, const float *b, const float *dy,
                                     float *da, float *db) {
    multiply_backward(gelu_times_backward, n, a, b, dy, da, db);
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
