#include "train/schedule.h"

#include <math.h>
#include <stdbool.h>

#include "simd/math.h"

#define PI 3.14159265358979323846f

const char *const schedule_names[SCHEDULE_COUNT] = {"linear", "cosine", "inverse_sqrt", "constant"};
const char *const schedule_rule_names[SCHEDULE_RULE_COUNT] = {"mneme", "lingua"};

/* How far between the end of the warmup and the last step, in [0, 1]. */
static float progress(const struct schedule *schedule, size_t step) {
    size_t rest = schedule->steps > schedule->warmup ? schedule->steps - schedule->warmup : 1;
    float x = (float)(step - schedule->warmup) / (float)rest;
    return x < 1.0f ? x : 1.0f;
}

static float cosine(const struct schedule *schedule, size_t step) {
    float floor = schedule->lr_min_ratio, x = progress(schedule, step);
    if (schedule->cosine_theta != 1.0f) x = math_pow(x, schedule->cosine_theta);
    float wave = math_cos(PI * x / schedule->cycle_length);
    return floor + (1.0f - floor) * (0.5f * (1.0f + wave));
}

/* (warmup / step)^exp_factor */
static float power_law(const struct schedule *schedule, size_t step) {
    float warmup = schedule->warmup > 0 ? (float)schedule->warmup : 1.0f;
    float x = warmup / (float)(step > schedule->warmup ? step : schedule->warmup);
    return schedule->exp_factor == 0.5f ? sqrtf(x) : math_pow(x, schedule->exp_factor);
}

static float inverse_sqrt(const struct schedule *schedule, size_t step) {
    if (schedule->rule == SCHEDULE_OF_MNEME) return power_law(schedule, step + 1);
    float factor = power_law(schedule, step);
    return factor > schedule->lr_min_ratio ? factor : schedule->lr_min_ratio;
}

float schedule_factor(const struct schedule *schedule, size_t step) {
    const bool of_lingua = schedule->rule == SCHEDULE_OF_LINGUA;
    const float floor = schedule->lr_min_ratio;
    if (of_lingua && schedule->kind == SCHEDULE_CONSTANT) return 1.0f;
    if (step < schedule->warmup) {
        return (float)(step + !of_lingua) / (float)schedule->warmup;
    }
    switch (schedule->kind) {
        case SCHEDULE_LINEAR:
            return 1.0f - (1.0f - floor) * progress(schedule, step);
        case SCHEDULE_COSINE:
            return step > schedule->steps && of_lingua ? floor : cosine(schedule, step);
        case SCHEDULE_INVERSE_SQRT:
            return inverse_sqrt(schedule, step);
        case SCHEDULE_CONSTANT:
        case SCHEDULE_COUNT:
            break;
    }
    return 1.0f;
}
