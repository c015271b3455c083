#include <math.h>

#include "base/random.h"
#include "model/model.h"
#include "simd/math.h"

#define TWO_PI 6.28318530717958647692f

/* Four draws make two Box-Muller pairs; number `index` is lane index mod 4 of draw index / 4. */
float model_random_normal(uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t draws[4];
    random_draw4(seed, stream, index / 4, draws);
    size_t pair = (size_t)(index % 4) / 2 * 2;
    float u = (float)((draws[pair] >> 8) + 1) * 0x1p-24f; /* in (0, 1] */
    float angle = (float)(draws[pair + 1] >> 8) * 0x1p-24f * TWO_PI;
    float radius = sqrtf(-2.0f * math_log(u));
    return radius * (index % 2 == 0 ? math_cos(angle) : math_sin(angle));
}

static uint64_t stream_of(const struct parameter *parameter) {
    return RANDOM_STREAM_PARAMETERS + (uint64_t)parameter->index;
}

static void fill(struct parameter *parameter, float value) {
    for (size_t i = 0; i < parameter->count; i++) parameter->data[i] = value;
}

static void fill_normal(struct parameter *parameter, uint64_t seed, float std) {
    uint64_t stream = stream_of(parameter);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->data[i] = std * model_random_normal(seed, stream, i);
    }
}

static void fill_uniform(struct parameter *parameter, uint64_t seed, float bound) {
    uint64_t stream = stream_of(parameter);
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->data[i] = bound * (2.0f * random_uniform(seed, stream, i) - 1.0f);
    }
}

static void initialize(const struct model_config *config, struct parameter *p, uint64_t seed) {
    float branch = 1.0f / sqrtf((float)(2 * config->n_layers));
    switch (p->start) {
        case PARAMETER_STARTS_ZEROS:
            fill(p, 0.0f);
            break;
        case PARAMETER_STARTS_ONES:
            fill(p, 1.0f);
            break;
        case PARAMETER_STARTS_NORMAL:
            fill_normal(p, seed, 1.0f / sqrtf((float)p->shape[1]));
            break;
        case PARAMETER_STARTS_BRANCH:
            fill_normal(p, seed, branch / sqrtf((float)p->shape[1]));
            break;
        case PARAMETER_STARTS_KEYS:
            fill_uniform(p, seed, 1.0f / sqrtf((float)config->memory.k_dim));
            break;
    }
}

void model_initialize(struct model *model, uint64_t seed) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        initialize(&model->config, &model->parameters[i], seed);
    }
}
