#include "model/memory_inputs.h"

#include <assert.h>
#include <string.h>

static size_t reads_per_token(const struct model *model) {
    return model->config.memory.heads * model->config.memory.knn;
}

mneme_status memory_inputs_open(struct memory_inputs *inputs, const struct model *model,
                                size_t max_texts, size_t max_tokens, mneme_error *error) {
    size_t dim = model->config.dim, reads = reads_per_token(model);
    *inputs = (struct memory_inputs){.max_texts = max_texts, .max_tokens = max_tokens};
    struct arena *arena = &inputs->arena;
    bool fits = arena_reserve(arena, max_texts + 1, sizeof *inputs->starts) &&
                arena_reserve(arena, max_tokens * dim, sizeof(float)) &&
                arena_reserve(arena, max_tokens * dim, sizeof(float)) &&
                arena_reserve(arena, max_tokens * reads, sizeof(int32_t)) &&
                arena_reserve(arena, max_tokens * reads, sizeof(float));
    if (!fits) return error_set_memory(error, "the memory layer's inputs");
    mneme_status status = arena_open(arena, "the memory layer's inputs", error);
    if (status != MNEME_OK) return status;
    inputs->starts = arena_take(arena, max_texts + 1, sizeof *inputs->starts);
    inputs->middle = arena_take(arena, max_tokens * dim, sizeof(float));
    inputs->ffn_normed = arena_take(arena, max_tokens * dim, sizeof(float));
    inputs->slots = arena_take(arena, max_tokens * reads, sizeof(int32_t));
    inputs->weights = arena_take(arena, max_tokens * reads, sizeof(float));
    return MNEME_OK;
}

void memory_inputs_close(struct memory_inputs *inputs) {
    arena_close(&inputs->arena);
    *inputs = (struct memory_inputs){0};
}

mneme_status memory_inputs_make(struct memory_inputs *inputs, const struct model *model,
                                struct workspace *workspace, const struct batch *batch,
                                mneme_error *error) {
    assert(batch->n_sequences <= inputs->max_texts && batch->n_tokens <= inputs->max_tokens);
    mneme_status status = model_forward_to_memory(model, workspace, batch, error);
    if (status != MNEME_OK) return status;
    const struct layer_activations *a = &workspace->layers[model->config.memory.layers[0]];
    size_t n = batch->n_tokens, dim = model->config.dim, reads = reads_per_token(model);
    inputs->n_texts = batch->n_sequences;
    memcpy(inputs->starts, batch->starts, (batch->n_sequences + 1) * sizeof *inputs->starts);
    memcpy(inputs->middle, a->middle, n * dim * sizeof(float));
    memcpy(inputs->ffn_normed, a->ffn_normed, n * dim * sizeof(float));
    memcpy(inputs->slots, a->reads.slots, n * reads * sizeof(int32_t));
    memcpy(inputs->weights, a->reads.weights, n * reads * sizeof(float));
    return MNEME_OK;
}

void memory_inputs_place(const struct memory_inputs *inputs, const struct model *model,
                         struct workspace *workspace, size_t n, const uint32_t *texts) {
    struct layer_activations *a = &workspace->layers[model->config.memory.layers[0]];
    size_t dim = model->config.dim, reads = reads_per_token(model), to = 0;
    for (size_t i = 0; i < n; i++) {
        assert(texts[i] < inputs->n_texts);
        size_t from = inputs->starts[texts[i]], length = inputs->starts[texts[i] + 1] - from;
        memcpy(a->middle + to * dim, inputs->middle + from * dim, length * dim * sizeof(float));
        memcpy(a->ffn_normed + to * dim, inputs->ffn_normed + from * dim,
               length * dim * sizeof(float));
        memcpy(a->reads.slots + to * reads, inputs->slots + from * reads,
               length * reads * sizeof(int32_t));
        memcpy(a->reads.weights + to * reads, inputs->weights + from * reads,
               length * reads * sizeof(float));
        to += length;
    }
}
