#include "simd/vec.h"

struct adamw_vectors {
    vf scale, beta1, beta2, rest1, rest2, step, root, eps, keep;
};

static inline struct adamw_vectors adamw_broadcast(const struct adamw_step *s) {
    return (struct adamw_vectors){
        .scale = vf_set1(s->gradient_scale),
        .beta1 = vf_set1(s->beta1),
        .beta2 = vf_set1(s->beta2),
        .rest1 = vf_set1(s->one_minus_beta1),
        .rest2 = vf_set1(s->one_minus_beta2),
        .step = vf_set1(-s->step_size),
        .root = vf_set1(s->root_correction),
        .eps = vf_set1(s->eps),
        .keep = vf_set1(s->keep),
    };
}

struct adamw_lanes {
    vf m, v, p;
};

static inline struct adamw_lanes adamw_lanes_step(const struct adamw_vectors *s, vf gradient,
                                                  struct adamw_lanes old) {
    vf g = vf_mul(gradient, s->scale);
    vf m = vf_fma(s->beta1, old.m, vf_mul(s->rest1, g));
    vf v = vf_fma(s->beta2, old.v, vf_mul(vf_mul(s->rest2, g), g));
    vf denominator = vf_add(vf_div(vf_sqrt(v), s->root), s->eps);
    vf p = vf_fma(s->step, vf_div(m, denominator), vf_mul(old.p, s->keep));
    return (struct adamw_lanes){m, v, p};
}

void SIMD_FN(adamw_update)(size_t n, const struct adamw_step *step, const float *gradient, float *m,
                           float *v, float *p) {
    struct adamw_vectors s = adamw_broadcast(step);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        struct adamw_lanes lanes = {vf_load(m + i), vf_load(v + i), vf_load(p + i)};
        lanes = adamw_lanes_step(&s, vf_load(gradient + i), lanes);
        vf_store(m + i, lanes.m);
        vf_store(v + i, lanes.v);
        vf_store(p + i, lanes.p);
    }
    if (i < n) {
        size_t rest = n - i;
        struct adamw_lanes lanes = {vf_load_part(m + i, rest, 0.0f),
                                    vf_load_part(v + i, rest, 0.0f),
                                    vf_load_part(p + i, rest, 0.0f)};
        lanes = adamw_lanes_step(&s, vf_load_part(gradient + i, rest, 0.0f), lanes);
        vf_store_part(m + i, lanes.m, rest);
        vf_store_part(v + i, lanes.v, rest);
        vf_store_part(p + i, lanes.p, rest);
    }
}

void SIMD_FN(sgd_update)(size_t n, float lr, const float *gradient, float *p) {
    SIMD_FN(add_scaled)(n, -lr, gradient, p);
}
