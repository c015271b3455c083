#include <assert.h>
#include <string.h>

#include "base/rehearsal.h"
#include "model/memory_layer.h"
#include "model/pass.h"
#include "model/query_and_key.h"
#include "nn/elementwise.h"
#include "nn/embedding.h"
#include "nn/rms_norm.h"
#include "nn/scaled_branch.h"
#include "profile/profile.h"

/* middle = input + attention(norm(input)) */
static void attention_block(struct pass *pass, size_t l, const struct batch *batch,
                            const struct continuation *continuation) {
    const struct model_config *config = &pass->model->config;
    const struct layer *layer = &pass->model->layers[l];
    struct layer_activations *a = &pass->activations.layers[l];
    struct scratch *s = &pass->scratch;
    size_t n = batch->n_tokens;
    profile_layer(PROFILE_ATTENTION, l);
    rms_norm_forward(n, config->dim, a->input, layer->attention_norm->data, config->norm_eps,
                     a->normed, a->norm_r);
    query_and_key_forward(pass, l, batch);
    projection_forward(pass, n, layer->wv, layer->wv_bias, a->normed, a->v);
    if (continuation == NULL) {
        attention_forward(&s->attention, &s->attention_shape, batch->n_sequences, batch->starts,
                          a->q, a->k, a->v, a->attention);
    } else {
        attention_forward_cached(&s->attention, &s->attention_shape, batch->n_sequences,
                                 batch->starts, continuation->pasts, continuation->rows,
                                 &continuation->cache->layers[l], a->q, a->k, a->v, a->attention);
    }
    projection_forward(pass, n, layer->wo, layer->wo_bias, a->attention, a->middle);
    elementwise_add(n * config->dim, a->input, a->middle);
}

/* hidden = silu(w1 x) * w3 x */
static void feed_forward_hidden(struct pass *pass, size_t l, size_t n) {
    const struct layer *layer = &pass->model->layers[l];
    struct layer_activations *a = &pass->activations.layers[l];
    projection_forward(pass, n, layer->w1, layer->w1_bias, a->ffn_normed, a->gate);
    projection_forward(pass, n, layer->w3, layer->w3_bias, a->ffn_normed, a->up);
    elementwise_silu_multiply(n * layer->w1->shape[0], a->gate, a->up, a->hidden);
}

/* From a layer's input to that of its second half. */
static void first_half(struct pass *pass, size_t l, const struct batch *batch,
                       const struct continuation *continuation) {
    const struct model_config *config = &pass->model->config;
    struct layer_activations *a = &pass->activations.layers[l];
    size_t n = batch->n_tokens;
    attention_block(pass, l, batch, continuation);
    profile_layer(PROFILE_FEED_FORWARD, l);
    rms_norm_forward(n, config->dim, a->middle, pass->model->layers[l].ffn_norm->data,
                     config->norm_eps, a->ffn_normed, a->ffn_norm_r);
}

/* The stream, in activations.output, becomes the layer's input. */
static void enter_layer(struct pass *pass, size_t l, size_t n) {
    pass->held = l;
    memcpy(pass->activations.layers[l].input, pass->activations.output,
           n * pass->model->config.dim * sizeof(float));
}

/* All but the memory's output of the second half, to activations.output; nothing where the memory
 * is in place of the feed-forward network. */
static void ffn_half(struct pass *pass, size_t l, size_t n) {
    const struct layer *layer = &pass->model->layers[l];
    const struct layer_activations *a = &pass->activations.layers[l];
    float *output = pass->activations.output;
    if (layer->w1 == NULL) return;
    feed_forward_hidden(pass, l, n);
    projection_forward(pass, n, layer->w2, layer->w2_bias, a->hidden, output);
    elementwise_add(n * pass->model->config.dim, a->middle, output);
}

static mneme_status look_up(struct pass *pass, size_t l, size_t n, mneme_error *error) {
    if (pass->model->layers[l].keys == NULL || memory_layer_lookup(pass, l, n)) return MNEME_OK;
    return error_set(error, MNEME_FAILED, "layer %zu: a product-key score is not a number", l);
}

/* After the lookup and the other half: the memory's output, if there is one, joins the stream. */
static void memory_half(struct pass *pass, size_t l, size_t n) {
    const struct layer *layer = &pass->model->layers[l];
    const struct layer_activations *a = &pass->activations.layers[l];
    float *output = pass->activations.output;
    size_t dim = pass->model->config.dim;
    if (layer->keys == NULL) return;
    if (layer->memory_scale == NULL) {
        memory_layer_read(pass, l, n, output);
        elementwise_add(n * dim, a->middle, output);
        return;
    }
    memory_layer_read(pass, l, n, a->memory_output);
    scaled_branch_forward(n, dim, layer->memory_scale->data[0], a->memory_output, output);
}

/* Slots and weights were kept. */
static void restore_memory(struct pass *pass, size_t l, size_t n) {
    const struct layer_activations *a = &pass->activations.layers[l];
    if (pass->model->layers[l].keys == NULL) return;
    memory_layer_score(pass, l, n);
    memory_layer_read(pass, l, n,
                      a->memory_output != NULL ? a->memory_output : pass->scratch.d_branch);
}

void model_restore_layer(struct pass *pass, const struct batch *batch, size_t l, bool whole) {
    assert(pass->training && pass->stage >= PASS_FORWARD && batch->n_tokens == pass->n_tokens);
    if (!pass->checkpoints || pass->held == l) return;
    pass->held = l;
    profile_layer(PROFILE_FEED_FORWARD, l);
    if (whole) {
        first_half(pass, l, batch, NULL);
        if (pass->model->layers[l].w1 != NULL) feed_forward_hidden(pass, l, batch->n_tokens);
    }
    restore_memory(pass, l, batch->n_tokens);
}

static void begin(struct pass *pass, const struct batch *batch) {
    assert(batch->n_tokens <= pass->max_tokens);
    for (size_t i = 0; i < batch->n_tokens; i++) {
        assert((size_t)batch->positions[i] < pass->max_positions);
    }
    pass->stage = PASS_NOTHING;
    pass->n_tokens = batch->n_tokens;
    profile_layer(PROFILE_EMBEDDING, 0);
    embedding_forward(batch->n_tokens, pass->model->config.dim, batch->tokens,
                      parameter_stored(pass->model->embedding), pass->activations.output);
}

/* The layers from first_layer on, and the norm after the last. */
static mneme_status upper_layers(struct pass *pass, size_t first_layer, const struct batch *batch,
                                 const struct continuation *continuation, mneme_error *error) {
    const struct model_config *config = &pass->model->config;
    struct activations *a = &pass->activations;
    size_t n = batch->n_tokens;
    for (size_t l = first_layer; l < config->n_layers; l++) {
        enter_layer(pass, l, n);
        first_half(pass, l, batch, continuation);
        ffn_half(pass, l, n);
        TRY(look_up(pass, l, n, error));
        memory_half(pass, l, n);
    }
    profile_layer(PROFILE_OUTPUT, 0);
    rms_norm_forward(n, config->dim, a->output, pass->model->norm->data, config->norm_eps,
                     a->output_normed, a->output_norm_r);
    pass->stage = PASS_FORWARD;
    return MNEME_OK;
}

mneme_status model_forward(struct pass *pass, const struct batch *batch,
                           const struct continuation *continuation, mneme_error *error) {
    TRY(rehearsal_stop(error));
    begin(pass, batch);
    return upper_layers(pass, 0, batch, continuation, error);
}

/* From the input of first_layer to the lookup of the next memory layer. */
static mneme_status on_to_memory(struct pass *pass, size_t first_layer, const struct batch *batch,
                                 mneme_error *error) {
    size_t l = first_layer;
    pass->stage = PASS_NOTHING;
    for (; pass->model->layers[l].keys == NULL; l++) {
        enter_layer(pass, l, batch->n_tokens);
        first_half(pass, l, batch, NULL);
        ffn_half(pass, l, batch->n_tokens);
    }
    enter_layer(pass, l, batch->n_tokens);
    first_half(pass, l, batch, NULL);
    ffn_half(pass, l, batch->n_tokens);
    TRY(look_up(pass, l, batch->n_tokens, error));
    pass->stage = PASS_AT_MEMORY;
    pass->at_layer = l;
    return MNEME_OK;
}

mneme_status model_forward_to_memory(struct pass *pass, const struct batch *batch,
                                     mneme_error *error) {
    assert(pass->model->config.memory.n_layers > 0);
    TRY(rehearsal_stop(error));
    begin(pass, batch);
    return on_to_memory(pass, 0, batch, error);
}

/* The rest of the memory layer where the pass stands. */
static void leave_memory(struct pass *pass, const struct batch *batch) {
    assert(pass->stage == PASS_AT_MEMORY && batch->n_tokens == pass->n_tokens);
    pass->stage = PASS_NOTHING;
    pass->held = pass->at_layer;
    profile_layer(PROFILE_FEED_FORWARD, pass->at_layer);
    memory_half(pass, pass->at_layer, batch->n_tokens);
}

mneme_status model_forward_to_next_memory(struct pass *pass, const struct batch *batch,
                                          mneme_error *error) {
    const struct memory_config *memory = &pass->model->config.memory;
    assert(pass->at_layer < memory->layers[memory->n_layers - 1]);
    leave_memory(pass, batch);
    return on_to_memory(pass, pass->at_layer + 1, batch, error);
}

mneme_status model_forward_from_memory(struct pass *pass, const struct batch *batch,
                                       mneme_error *error) {
    leave_memory(pass, batch);
    return upper_layers(pass, pass->at_layer + 1, batch, NULL, error);
}
