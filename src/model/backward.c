#include <assert.h>

#include "model/memory_layer.h"
#include "model/pass.h"
#include "model/query_and_key.h"
#include "nn/elementwise.h"
#include "nn/embedding.h"
#include "nn/rms_norm.h"
#include "profile/profile.h"

/* d_normed = gradient of the FFN's input, from d_stream. */
static void feed_forward_backward(struct pass *pass, struct gradients *gradients, size_t l,
                                  size_t n) {
    const struct layer *layer = &pass->model->layers[l];
    const struct layer_activations *a = &pass->activations.layers[l];
    struct scratch *s = &pass->scratch;
    projection_backward(pass, gradients, n, layer->w2, layer->w2_bias, a->hidden, s->d_stream,
                        s->d_wide1, false);
    elementwise_silu_multiply_backward(n * layer->w1->shape[0], a->gate, a->up, s->d_wide1,
                                       s->d_wide1, s->d_wide2);
    projection_backward(pass, gradients, n, layer->w1, layer->w1_bias, a->ffn_normed, s->d_wide1,
                        s->d_normed, false);
    projection_backward(pass, gradients, n, layer->w3, layer->w3_bias, a->ffn_normed, s->d_wide2,
                        s->d_normed, true);
}

/* d_stream += norm's gradient from d_normed. */
static void norm_backward(struct scratch *s, struct gradients *gradients, size_t n,
                          const struct parameter *gain, const float *x, const float *r) {
    size_t dim = gain->count;
    rms_norm_backward(n, dim, x, gain->data, r, s->d_normed, s->d_branch,
                      gradient_of(gradients, gain));
    elementwise_add(n * dim, s->d_branch, s->d_stream);
}

static void attention_block_backward(struct pass *pass, struct gradients *gradients, size_t l,
                                     const struct batch *batch) {
    const struct layer *layer = &pass->model->layers[l];
    const struct layer_activations *a = &pass->activations.layers[l];
    struct scratch *s = &pass->scratch;
    size_t n = batch->n_tokens;
    float *d_q = s->d_wide2;
    profile_layer(PROFILE_ATTENTION, l);
    projection_backward(pass, gradients, n, layer->wo, layer->wo_bias, a->attention, s->d_stream,
                        s->d_wide1, false);
    attention_backward(&s->attention, &s->attention_shape, batch->n_sequences, batch->starts, a->q,
                       a->k, a->v, s->d_wide1, d_q, s->d_k, s->d_v);
    query_and_key_backward(pass, gradients, l, batch, d_q);
    projection_backward(pass, gradients, n, layer->wv, layer->wv_bias, a->normed, s->d_v,
                        s->d_normed, true);
    norm_backward(s, gradients, n, layer->attention_norm, a->input, a->norm_r);
}

/* d_stream = gradient of the last layer's output, from that of its norm. */
static void last_norm_backward(struct pass *pass, struct gradients *gradients, size_t n) {
    const struct model *model = pass->model;
    const struct activations *a = &pass->activations;
    rms_norm_backward(n, model->config.dim, a->output, model->norm->data, a->output_norm_r,
                      pass->scratch.d_normed, pass->scratch.d_stream,
                      gradient_of(gradients, model->norm));
}

/* The gradient of the residual stream at a place whose value record_pass.c records. */
static void record_stream(const struct pass *pass, size_t n, size_t l, const char *name) {
    recorder_add(pass->recorder, TENSOR_F32, n, pass->model->config.dim, pass->scratch.d_stream,
                 "backward.layers.%zu.%s", l, name);
}

static void layer_backward(struct pass *pass, struct gradients *gradients, size_t l,
                           const struct batch *batch) {
    const struct layer *layer = &pass->model->layers[l];
    const struct layer_activations *a = &pass->activations.layers[l];
    size_t n = batch->n_tokens;
    if (layer->w1 != NULL) feed_forward_backward(pass, gradients, l, n);
    if (layer->keys != NULL) memory_layer_backward(pass, gradients, l, n, BACKWARD_WHOLE);
    norm_backward(&pass->scratch, gradients, n, layer->ffn_norm, a->middle, a->ffn_norm_r);
    record_stream(pass, n, l, "after_attention");
    attention_block_backward(pass, gradients, l, batch);
    record_stream(pass, n, l, "input");
}

void model_backward(struct pass *pass, const struct batch *batch, struct gradients *gradients,
                    struct backward_extent extent) {
    const struct model *model = pass->model;
    size_t n = batch->n_tokens, lowest = extent.lowest_layer;
    const bool whole = extent.end == BACKWARD_WHOLE;
    assert(pass->training && pass->stage == PASS_LOSS && n == pass->n_tokens);
    assert(whole || model_layer_has_memory(&model->config, lowest));
    assert(lowest >= pass->first_kept);
    pass->stage = PASS_BACKWARD;
    profile_layer(PROFILE_OUTPUT, 0);
    last_norm_backward(pass, gradients, n);
    for (size_t l = model->config.n_layers; l-- > lowest + !whole;) {
        model_restore_layer(pass, batch, l, true);
        profile_layer(PROFILE_FEED_FORWARD, l);
        layer_backward(pass, gradients, l, batch);
    }
    if (!whole) {
        model_restore_layer(pass, batch, lowest, false);
        profile_layer(PROFILE_FEED_FORWARD, lowest);
        memory_layer_backward(pass, gradients, lowest, n, extent.end);
    }
    if (extent.end == BACKWARD_TO_VALUES) return;
    memory_values_gradients(pass, gradients);
    float *embedding = gradient_of(gradients, model->embedding);
    if (whole && lowest == 0 && embedding != NULL) {
        profile_layer(PROFILE_EMBEDDING, 0);
        embedding_backward(&pass->scratch.scatter, n, model->config.vocab_size, model->config.dim,
                           batch->tokens, pass->scratch.d_stream, embedding);
    }
}

void model_finish_gradients(const struct pass *pass, struct gradients *gradients) {
    gradients_join_tied(gradients);
    memory_keys_gradients(pass, gradients);
}
