#include "train/schedule.h"

#include <math.h>

#include "simd/math.h"

#define PI 3.14159265358979323846f

const char *const schedule_names[SCHEDULE_COUNT] = {"linear", "cosine", "inverse_sqrt", "constant"};

/* How far between the end of the warmup and the last step, in [0, 1]. */
static float progress(const struct schedule *schedule, size_t step) {
    size_t rest = schedule->steps > schedule->warmup ? schedule->steps - schedule->warmup : 1;
    float x = (float)(step - schedule->warmup) / (float)rest;
    return x < 1.0f ? x : 1.0f;
}

float schedule_factor(const struct schedule *schedule, size_t step) {
    if (step < schedule->warmup) return (float)(step + 1) / (float)schedule->warmup;
    float floor = schedule->lr_min_ratio;
    switch (schedule->kind) {
        case SCHEDULE_LINEAR:
            return 1.0f - (1.0f - floor) * progress(schedule, step);
        case SCHEDULE_COSINE: {
            float cosine = math_cos(PI * progress(schedule, step));
            return floor + (1.0f - floor) * (0.5f * (1.0f + cosine));
        }
        case SCHEDULE_INVERSE_SQRT: {
            float warmup = schedule->warmup > 0 ? (float)schedule->warmup : 1.0f;
            return sqrtf(warmup /
                         (float)(step + 1 > schedule->warmup ? step + 1 : schedule->warmup));
        }
        case SCHEDULE_CONSTANT:
        case SCHEDULE_COUNT:
            break;
    }
    return 1.0f;
}
