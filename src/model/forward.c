#include "model/memory_layer.h"
#include "model/pass.h"
#include "model/projection.h"
#include "nn/cross_entropy.h"
#include "nn/elementwise.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/rms_norm.h"
#include "nn/rope.h"
#include "profile/profile.h"

#include <string.h>

/* middle = input + attention(norm(input)) */
static void attention_block(const struct model *model, struct workspace *w, size_t l,
                            const struct batch *batch, const struct continuation *continuation) {
    const struct model_config *config = &model->config;
    const struct layer *layer = &model->layers[l];
    struct layer_activations *a = &w->layers[l];
    size_t n = batch->n_tokens, head_dim = model_head_dim(config);
    profile_layer(PROFILE_ATTENTION, l);
    rms_norm_forward(n, config->dim, a->input, layer->attention_norm->data, config->norm_eps,
                     a->normed, a->norm_r);
    projection_forward(w, n, layer->wq, NULL, a->normed, a->q);
    projection_forward(w, n, layer->wk, NULL, a->normed, a->k);
    projection_forward(w, n, layer->wv, NULL, a->normed, a->v);
    rope_apply(n, config->n_heads, head_dim, batch->positions, w->rope_cosine, w->rope_sine, 1.0f,
               a->q);
    rope_apply(n, config->n_kv_heads, head_dim, batch->positions, w->rope_cosine, w->rope_sine,
               1.0f, a->k);
    if (continuation == NULL) {
        attention_forward(&w->attention, &w->attention_shape, batch->n_sequences, batch->starts,
                          a->q, a->k, a->v, a->attention);
    } else {
        attention_forward_cached(&w->attention, &w->attention_shape, batch->n_sequences,
                                 batch->starts, continuation->pasts, continuation->rows,
                                 &continuation->cache->layers[l], a->q, a->k, a->v, a->attention);
    }
    projection_forward(w, n, layer->wo, NULL, a->attention, a->middle);
    elementwise_add(n * config->dim, a->input, a->middle);
}

/* out = w2(silu(w1 x) * w3 x) */
static void feed_forward(struct workspace *w, const struct layer *layer,
                         struct layer_activations *a, size_t n, float *out) {
    projection_forward(w, n, layer->w1, NULL, a->ffn_normed, a->gate);
    projection_forward(w, n, layer->w3, NULL, a->ffn_normed, a->up);
    elementwise_silu_multiply(n * layer->w1->shape[0], a->gate, a->up, a->hidden);
    projection_forward(w, n, layer->w2, NULL, a->hidden, out);
}

/* From a layer's input in w->output to the input of its second half. */
static void first_half(const struct model *model, struct workspace *w, size_t l,
                       const struct batch *batch, const struct continuation *continuation) {
    const struct model_config *config = &model->config;
    struct layer_activations *a = &w->layers[l];
    size_t n = batch->n_tokens;
    memcpy(a->input, w->output, n * config->dim * sizeof(float));
    attention_block(model, w, l, batch, continuation);
    profile_layer(PROFILE_FEED_FORWARD, l);
    rms_norm_forward(n, config->dim, a->middle, model->layers[l].ffn_norm->data, config->norm_eps,
                     a->ffn_normed, a->ffn_norm_r);
}

/* From there to w->output; of a memory layer after its lookup. */
static void second_half(const struct model *model, struct workspace *w, size_t l, size_t n) {
    const struct layer *layer = &model->layers[l];
    struct layer_activations *a = &w->layers[l];
    if (layer->keys == NULL) {
        feed_forward(w, layer, a, n, w->output);
    } else {
        memory_layer_read(model, w, l, n, w->output);
    }
    elementwise_add(n * model->config.dim, a->middle, w->output);
}

static mneme_status look_up(const struct model *model, struct workspace *w, size_t l, size_t n,
                            mneme_error *error) {
    if (model->layers[l].keys == NULL || memory_layer_lookup(model, w, l, n)) return MNEME_OK;
    return error_set(error, MNEME_FAILED, "layer %zu: a product-key score is NaN", l);
}

static void embed(const struct model *model, struct workspace *w, const struct batch *batch) {
    profile_layer(PROFILE_EMBEDDING, 0);
    embedding_forward(batch->n_tokens, model->config.dim, batch->tokens, model->embedding->data,
                      w->output);
}

/* The layers from first_layer on, and the norm after the last. */
static mneme_status upper_layers(const struct model *model, struct workspace *w, size_t first_layer,
                                 const struct batch *batch, const struct continuation *continuation,
                                 mneme_error *error) {
    const struct model_config *config = &model->config;
    size_t n = batch->n_tokens;
    for (size_t l = first_layer; l < config->n_layers; l++) {
        first_half(model, w, l, batch, continuation);
        mneme_status status = look_up(model, w, l, n, error);
        if (status != MNEME_OK) return status;
        second_half(model, w, l, n);
    }
    profile_layer(PROFILE_OUTPUT, 0);
    rms_norm_forward(n, config->dim, w->output, model->norm->data, config->norm_eps,
                     w->output_normed, w->output_norm_r);
    return MNEME_OK;
}

mneme_status model_forward(const struct model *model, struct workspace *w,
                           const struct batch *batch, const struct continuation *continuation,
                           mneme_error *error) {
    embed(model, w, batch);
    return upper_layers(model, w, 0, batch, continuation, error);
}

mneme_status model_forward_to_memory(const struct model *model, struct workspace *w,
                                     const struct batch *batch, mneme_error *error) {
    size_t memory = model->config.memory.layers[0], n = batch->n_tokens;
    embed(model, w, batch);
    for (size_t l = 0; l < memory; l++) {
        first_half(model, w, l, batch, NULL);
        second_half(model, w, l, n);
    }
    first_half(model, w, memory, batch, NULL);
    return look_up(model, w, memory, n, error);
}

mneme_status model_forward_from_memory(const struct model *model, struct workspace *w,
                                       const struct batch *batch, mneme_error *error) {
    size_t memory = model->config.memory.layers[0];
    profile_layer(PROFILE_FEED_FORWARD, memory);
    second_half(model, w, memory, batch->n_tokens);
    return upper_layers(model, w, memory + 1, batch, NULL, error);
}

void model_logits(const struct model *model, struct workspace *w, size_t n, const float *normed,
                  float *logits) {
    linear_forward(&w->matmul, n, model->config.dim, model->config.vocab_size, normed,
                   model->output->data, packed_weights_of(&w->packed, model->output).forward, NULL,
                   logits);
}

void model_loss(const struct model *model, struct workspace *w, const struct batch *batch,
                float scale) {
    model_logits(model, w, batch->n_tokens, w->output_normed, w->logits);
    cross_entropy(batch->n_tokens, model->config.vocab_size, w->logits, batch->targets, scale,
                  w->losses);
}
