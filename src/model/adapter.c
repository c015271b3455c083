#include "model/adapter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "nn/linear.h"
#include "profile/profile.h"

#define LAYER_LINEARS 11

/* The linear layers' weights of one layer; returns their number. */
static size_t layer_linears(const struct layer *layer, struct parameter **weights) {
    struct parameter *all[LAYER_LINEARS] = {
        layer->wq,           layer->wk,           layer->wv,           layer->wo,
        layer->w1,           layer->w3,           layer->w2,           layer->query_weight,
        layer->swilu_weight, layer->value_weight, layer->gating_weight};
    size_t n = 0;
    for (size_t i = 0; i < LAYER_LINEARS; i++) {
        if (all[i] != NULL) weights[n++] = all[i];
    }
    return n;
}

static void describe(struct parameter *parameter, const struct parameter *weight,
                     const char *suffix, size_t rows, size_t columns) {
    /* "….weight" becomes "….lora_A" or "….lora_B". */
    size_t stem = 0;
    while (weight->name[stem] != '\0') stem++;
    stem = stem > 7 ? stem - 7 : stem;
    snprintf(parameter->name, sizeof parameter->name, "%.*s.%s", (int)stem, weight->name, suffix);
    parameter->rank = 2;
    parameter->shape[0] = rows;
    parameter->shape[1] = columns;
    parameter->count = rows * columns;
}

static mneme_status place(struct adapter_set *set, size_t rank, size_t max_tokens,
                          mneme_error *error) {
    bool fits = arena_reserve(&set->arena, max_tokens * rank, sizeof(float));
    for (size_t i = 0; i < set->n_adapters; i++) {
        fits = fits && arena_reserve(&set->arena, set->adapters[i].a.count, sizeof(float));
        fits = fits && arena_reserve(&set->arena, set->adapters[i].b.count, sizeof(float));
        fits = fits && arena_reserve(&set->arena, max_tokens * rank, sizeof(float));
    }
    if (!fits) return error_set_memory(error, "the adapters");
    mneme_status status = arena_open(&set->arena, "the adapters", error);
    if (status != MNEME_OK) return status;
    float *dhidden = arena_take(&set->arena, max_tokens * rank, sizeof(float));
    for (size_t i = 0; i < set->n_adapters; i++) {
        struct adapter *adapter = &set->adapters[i];
        adapter->a.data = arena_take(&set->arena, adapter->a.count, sizeof(float));
        adapter->b.data = arena_take(&set->arena, adapter->b.count, sizeof(float));
        adapter->hidden = arena_take(&set->arena, max_tokens * rank, sizeof(float));
        adapter->dhidden = dhidden;
    }
    return MNEME_OK;
}

static void initialize(struct adapter *adapter, size_t index, uint64_t seed) {
    float bound = 1.0f / sqrtf((float)adapter->a.shape[1]);
    for (size_t i = 0; i < adapter->a.count; i++) {
        float uniform = random_uniform(seed, ADAPTER_STREAM + index, i);
        adapter->a.data[i] = bound * (2.0f * uniform - 1.0f);
    }
}

mneme_status adapter_set_open(struct adapter_set *set, struct model *model, size_t rank,
                              float alpha, size_t first_layer, size_t last_layer, size_t max_tokens,
                              uint64_t seed, mneme_error *error) {
    *set = (struct adapter_set){0};
    size_t n_layers = model->config.n_layers;
    set->adapters = calloc(n_layers * LAYER_LINEARS, sizeof *set->adapters);
    if (set->adapters == NULL) return error_set_memory(error, "the adapters");
    struct parameter *weights[LAYER_LINEARS];
    for (size_t l = first_layer; l < n_layers && l <= last_layer; l++) {
        size_t n = layer_linears(&model->layers[l], weights);
        for (size_t i = 0; i < n; i++) {
            struct adapter *adapter = &set->adapters[set->n_adapters++];
            describe(&adapter->a, weights[i], "lora_A", rank, weights[i]->shape[1]);
            describe(&adapter->b, weights[i], "lora_B", weights[i]->shape[0], rank);
            adapter->scale = alpha / (float)rank;
            adapter->weight = weights[i];
        }
    }
    mneme_status status = place(set, rank, max_tokens, error);
    if (status != MNEME_OK) {
        adapter_set_close(set, model);
        return status;
    }
    for (size_t i = 0; i < set->n_adapters; i++) initialize(&set->adapters[i], i, seed);
    adapter_set_attach(set);
    return MNEME_OK;
}

void adapter_set_attach(struct adapter_set *set) {
    for (size_t i = 0; i < set->n_adapters; i++) {
        set->adapters[i].weight->adapter = &set->adapters[i];
    }
}

mneme_status adapter_merge(struct model *model, mneme_error *error) {
    struct matmul_scratch scratch = {0};
    profile_layer(PROFILE_ADAPTERS, 0);
    mneme_status status = matmul_scratch_open(&scratch, error);
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        struct parameter *weight = &model->parameters[i];
        if (weight->adapter == NULL) continue;
        const struct adapter *adapter = weight->adapter;
        float *scaled = memory_allocate(adapter->a.count, sizeof(float));
        if (scaled == NULL) {
            status = error_set_memory(error, "merging the adapters");
            break;
        }
        lora_merge(&scratch, weight->shape[1], weight->shape[0], adapter->a.shape[0],
                   adapter->scale, adapter->a.data, adapter->b.data, scaled, weight->data);
        free(scaled);
        weight->adapter = NULL;
    }
    matmul_scratch_close(&scratch);
    return status;
}

void adapter_set_close(struct adapter_set *set, struct model *model) {
    for (size_t i = 0; model->parameters != NULL && i < model->n_parameters; i++) {
        model->parameters[i].adapter = NULL;
    }
    free(set->adapters);
    arena_close(&set->arena);
    *set = (struct adapter_set){0};
}
