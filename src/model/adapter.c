#include "model/adapter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/linear.h"
#include "profile/profile.h"
#include "simd/simd.h"

/* "….weight" becomes "….lora_A" or "….lora_B". */
static void describe(struct parameter *parameter, const struct parameter *weight,
                     const char *suffix, size_t index, size_t rows, size_t columns) {
    *parameter = (struct parameter){
        .index = index, .rank = 2, .shape = {rows, columns}, .count = rows * columns};
    size_t stem = strlen(weight->name) - strlen(".weight");
    snprintf(parameter->name, sizeof parameter->name, "%.*s.%s", (int)stem, weight->name, suffix);
}

static void add(struct adapter_set *set, struct parameter *weight, size_t rank, float alpha) {
    struct adapter *adapter = &set->adapters[set->n_adapters];
    size_t index = set->n_parameters + 2 * set->n_adapters++;
    describe(&adapter->a, weight, "lora_A", index, rank, weight->shape[1]);
    describe(&adapter->b, weight, "lora_B", index + 1, weight->shape[0], rank);
    adapter->scale = alpha / (float)rank;
    adapter->weight = weight;
    set->of_weight[weight->index] = adapter;
}

static mneme_status place(struct adapter_set *set, size_t rank, size_t max_tokens,
                          mneme_error *error) {
    struct arena_piece *pieces = calloc(3 * set->n_adapters + 1, sizeof *pieces);
    if (pieces == NULL) return error_set_memory(error, "the adapters");
    const size_t row = rank * sizeof(float);
    size_t n = 0;
    pieces[n++] = (struct arena_piece){&set->dhidden, max_tokens, row};
    for (size_t i = 0; i < set->n_adapters; i++) {
        struct adapter *adapter = &set->adapters[i];
        pieces[n++] = (struct arena_piece){&adapter->a.data, adapter->a.count, sizeof(float)};
        pieces[n++] = (struct arena_piece){&adapter->b.data, adapter->b.count, sizeof(float)};
        pieces[n++] = (struct arena_piece){&adapter->hidden, max_tokens, row};
    }
    mneme_status status = arena_layout(&set->arena, n, pieces, "the adapters", error);
    free(pieces);
    return status;
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
    *set = (struct adapter_set){.n_parameters = model->n_parameters};
    set->adapters = calloc(model->n_parameters, sizeof *set->adapters);
    set->of_weight = calloc(model->n_parameters, sizeof *set->of_weight);
    mneme_status status = MNEME_OK;
    if (set->adapters == NULL || set->of_weight == NULL) {
        status = error_set_memory(error, "the adapters");
    }
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        struct parameter *weight = &model->parameters[i];
        if ((weight->roles & ROLE_LINEAR) == 0) continue;
        if (weight->layer < first_layer || weight->layer > last_layer) continue;
        add(set, weight, rank, alpha);
    }
    THEN(place(set, rank, max_tokens, error));
    if (status != MNEME_OK) {
        adapter_set_close(set);
        return status;
    }
    for (size_t i = 0; i < set->n_adapters; i++) initialize(&set->adapters[i], i, seed);
    return MNEME_OK;
}

void adapter_set_close(struct adapter_set *set) {
    free(set->adapters);
    free(set->of_weight);
    arena_close(&set->arena);
    *set = (struct adapter_set){0};
}

struct adapter *adapter_of(const struct adapter_set *set, const struct parameter *weight) {
    return set == NULL ? NULL : set->of_weight[weight->index];
}

mneme_status adapter_set_merge(struct adapter_set *set, mneme_error *error) {
    size_t most = 0;
    for (size_t i = 0; i < set->n_adapters; i++) {
        if (set->adapters[i].a.count > most) most = set->adapters[i].a.count;
    }
    float *scaled = memory_allocate(most, sizeof *scaled);
    if (scaled == NULL) return error_set_memory(error, "merging the adapters");
    struct matmul_scratch scratch = {0};
    profile_layer(PROFILE_ADAPTERS, 0);
    mneme_status status = matmul_scratch_open(&scratch, error);
    for (size_t i = 0; status == MNEME_OK && i < set->n_adapters; i++) {
        const struct adapter *adapter = &set->adapters[i];
        struct parameter *weight = adapter->weight;
        lora_merge(&scratch, weight->shape[1], weight->shape[0], adapter->a.shape[0],
                   adapter->scale, adapter->a.data, adapter->b.data, scaled, weight->data);
    }
    matmul_scratch_close(&scratch);
    free(scaled);
    return status;
}

bool adapter_set_is_finite(const struct adapter_set *set) {
    for (size_t i = 0; set != NULL && i < set->n_adapters; i++) {
        const struct adapter *adapter = &set->adapters[i];
        if (!simd()->all_finite(adapter->a.count, adapter->a.data)) return false;
        if (!simd()->all_finite(adapter->b.count, adapter->b.data)) return false;
    }
    return true;
}
