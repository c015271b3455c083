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

/* The fillers leave out what a layer does not have. */
static void fill(struct parameter *parameter, float value) {
    if (parameter == NULL) return;
    for (size_t i = 0; i < parameter->count; i++) parameter->data[i] = value;
}

static uint64_t stream_of(const struct model *model, const struct parameter *parameter) {
    return RANDOM_STREAM_PARAMETERS + (uint64_t)(parameter - model->parameters);
}

static void fill_normal(const struct model *model, struct parameter *parameter, uint64_t seed,
                        float std) {
    if (parameter == NULL) return;
    uint64_t stream = stream_of(model, parameter);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->data[i] = std * model_random_normal(seed, stream, i);
    }
}

static void fill_uniform(const struct model *model, struct parameter *parameter, uint64_t seed,
                         float bound) {
    uint64_t stream = stream_of(model, parameter);
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->data[i] = bound * (2.0f * random_uniform(seed, stream, i) - 1.0f);
    }
}

/* A linear layer's weight [out, in]. */
static void fill_linear(const struct model *model, struct parameter *weight, uint64_t seed,
                        float factor) {
    if (weight == NULL) return;
    fill_normal(model, weight, seed, factor / sqrtf((float)weight->shape[1]));
}

static void initialize_layer(const struct model *model, struct layer *layer, uint64_t seed) {
    const struct memory_config *memory = &model->config.memory;
    float branch = 1.0f / sqrtf((float)(2 * model->config.n_layers));
    fill(layer->attention_norm, 1.0f);
    fill(layer->ffn_norm, 1.0f);
    fill_linear(model, layer->wq, seed, 1.0f);
    fill_linear(model, layer->wk, seed, 1.0f);
    fill_linear(model, layer->wv, seed, 1.0f);
    fill_linear(model, layer->wo, seed, branch);
    if (layer->keys == NULL) {
        fill_linear(model, layer->w1, seed, 1.0f);
        fill_linear(model, layer->w3, seed, 1.0f);
        fill_linear(model, layer->w2, seed, branch);
        return;
    }
    fill_linear(model, layer->query_weight, seed, 1.0f);
    fill(layer->query_bias, 0.0f);
    fill_uniform(model, layer->keys, seed, 1.0f / sqrtf((float)memory->k_dim));
    fill_normal(model, layer->values, seed, 1.0f / sqrtf((float)memory->v_dim));
    fill_normal(model, layer->values_u, seed, 1.0f / sqrtf((float)memory->v_dim));
    fill_linear(model, layer->swilu_weight, seed, 1.0f);
    fill(layer->swilu_bias, 0.0f);
    fill_linear(model, layer->value_weight, seed, branch);
    fill(layer->value_bias, 0.0f);
    fill_linear(model, layer->gating_weight, seed, 1.0f);
    fill(layer->gating_bias, 0.0f);
}

void model_initialize(struct model *model, uint64_t seed) {
    fill_normal(model, model->embedding, seed, 1.0f / sqrtf((float)model->config.dim));
    for (size_t l = 0; l < model->config.n_layers; l++) {
        initialize_layer(model, &model->layers[l], seed);
    }
    fill(model->norm, 1.0f);
    if (model->output != model->embedding) fill_linear(model, model->output, seed, 1.0f);
}
