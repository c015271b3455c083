#include "nn/adamw.h"

#include <math.h>

const char *const clip_values_names[CLIP_VALUES_COUNT] = {"together", "separate"};

float adamw_clip_scale(const struct adamw_settings *settings, float norm) {
    const float clip = settings->clip;
    if (!(clip > 0.0f)) return 1.0f;
    float scale = clip / (settings->clip_values == CLIP_SEPARATE ? norm + 1e-6f : norm);
    return scale < 1.0f ? scale : 1.0f;
}

/* base^n as n multiplications, so that it is the same however the run was cut. */
static float power(float base, size_t n) {
    float result = 1.0f;
    for (size_t i = 0; i < n; i++) result *= base;
    return result;
}

struct adamw_step adamw_step_at(const struct adamw_settings *settings, float lr, float weight_decay,
                                size_t n_updates, float gradient_scale) {
    return (struct adamw_step){
        .gradient_scale = gradient_scale,
        .beta1 = settings->beta1,
        .beta2 = settings->beta2,
        .one_minus_beta1 = 1.0f - settings->beta1,
        .one_minus_beta2 = 1.0f - settings->beta2,
        .step_size = lr / (1.0f - power(settings->beta1, n_updates)),
        .root_correction = sqrtf(1.0f - power(settings->beta2, n_updates)),
        .eps = settings->eps,
        .keep = 1.0f - lr * weight_decay,
    };
}
