#include "smf/memory_inputs.h"

#include <assert.h>
#include <string.h>

static size_t reads_per_token(const struct model *model) {
    return model->config.memory.heads * model->config.memory.knn;
}

mneme_status memory_inputs_open(struct memory_inputs *inputs, const struct model *model,
                                size_t max_texts, size_t max_tokens, mneme_error *error) {
    size_t dim = model->config.dim, reads = reads_per_token(model);
    *inputs = (struct memory_inputs){.max_texts = max_texts, .max_tokens = max_tokens};
    const struct arena_piece pieces[] = {{&inputs->starts, max_texts + 1, sizeof(size_t)},
                                         {&inputs->stream, max_tokens, dim * sizeof(float)},
                                         {&inputs->ffn_normed, max_tokens, dim * sizeof(float)},
                                         {&inputs->slots, max_tokens, reads * sizeof(int32_t)},
                                         {&inputs->weights, max_tokens, reads * sizeof(float)}};
    return arena_layout(&inputs->arena, sizeof pieces / sizeof *pieces, pieces,
                        "the memory layer's inputs", error);
}

void memory_inputs_close(struct memory_inputs *inputs) {
    arena_close(&inputs->arena);
    *inputs = (struct memory_inputs){0};
}

mneme_status memory_inputs_make(struct memory_inputs *inputs, struct pass *pass,
                                const struct batch *batch, mneme_error *error) {
    assert(batch->n_sequences <= inputs->max_texts && batch->n_tokens <= inputs->max_tokens);
    TRY(model_forward_to_memory(pass, batch, error));
    const struct model *model = pass->model;
    const struct layer_activations *a = &pass->activations.layers[pass->at_layer];
    size_t n = batch->n_tokens, dim = model->config.dim, reads = reads_per_token(model);
    inputs->n_texts = batch->n_sequences;
    memcpy(inputs->starts, batch->starts, (batch->n_sequences + 1) * sizeof *inputs->starts);
    memcpy(inputs->stream, pass_stream_at_memory(pass, pass->at_layer), n * dim * sizeof(float));
    memcpy(inputs->ffn_normed, a->ffn_normed, n * dim * sizeof(float));
    memcpy(inputs->slots, a->slots, n * reads * sizeof(int32_t));
    memcpy(inputs->weights, a->slot_weights, n * reads * sizeof(float));
    return MNEME_OK;
}

void memory_inputs_place(const struct memory_inputs *inputs, struct pass *pass, size_t n,
                         const uint32_t *texts) {
    const struct model *model = pass->model;
    const size_t layer = model->config.memory.layers[0];
    struct layer_activations *a = &pass->activations.layers[layer];
    float *stream = pass_stream_at_memory(pass, layer);
    size_t dim = model->config.dim, reads = reads_per_token(model), to = 0;
    for (size_t i = 0; i < n; i++) {
        assert(texts[i] < inputs->n_texts);
        size_t from = inputs->starts[texts[i]], length = inputs->starts[texts[i] + 1] - from;
        memcpy(stream + to * dim, inputs->stream + from * dim, length * dim * sizeof(float));
        memcpy(a->ffn_normed + to * dim, inputs->ffn_normed + from * dim,
               length * dim * sizeof(float));
        memcpy(a->slots + to * reads, inputs->slots + from * reads,
               length * reads * sizeof(int32_t));
        memcpy(a->slot_weights + to * reads, inputs->weights + from * reads,
               length * reads * sizeof(float));
        to += length;
    }
    pass->stage = PASS_AT_MEMORY;
    pass->at_layer = layer;
    pass->n_tokens = to;
}
