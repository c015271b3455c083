#include "model/memory_layer.h"
#include "model/pass.h"
#include "model/projection.h"
#include "nn/elementwise.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/rms_norm.h"
#include "nn/rope.h"
#include "profile/profile.h"

/* d_normed = gradient of the FFN's input, from d_stream. */
static void feed_forward_backward(struct workspace *w, const struct layer *layer,
                                  const struct layer_activations *a, size_t n) {
    projection_backward(w, n, layer->w2, NULL, a->hidden, w->d_stream, w->d_wide1, false);
    elementwise_silu_multiply_backward(n * layer->w1->shape[0], a->gate, a->up, w->d_wide1,
                                       w->d_wide1, w->d_wide2);
    projection_backward(w, n, layer->w1, NULL, a->ffn_normed, w->d_wide1, w->d_normed, false);
    projection_backward(w, n, layer->w3, NULL, a->ffn_normed, w->d_wide2, w->d_normed, true);
}

/* d_stream += norm's gradient from d_normed. */
static void norm_backward(struct workspace *w, size_t n, const struct parameter *gain,
                          const float *x, const float *r) {
    size_t dim = gain->count;
    rms_norm_backward(n, dim, x, gain->data, r, w->d_normed, w->d_branch, gain->gradient);
    elementwise_add(n * dim, w->d_branch, w->d_stream);
}

static void attention_block_backward(const struct model *model, struct workspace *w, size_t l,
                                     const struct batch *batch) {
    const struct model_config *config = &model->config;
    const struct layer *layer = &model->layers[l];
    const struct layer_activations *a = &w->layers[l];
    size_t n = batch->n_tokens, head_dim = model_head_dim(config);
    float *d_q = w->d_wide2;
    profile_layer(PROFILE_ATTENTION, l);
    projection_backward(w, n, layer->wo, NULL, a->attention, w->d_stream, w->d_wide1, false);
    attention_backward(&w->attention, &w->attention_shape, batch->n_sequences, batch->starts, a->q,
                       a->k, a->v, w->d_wide1, d_q, w->d_k, w->d_v);
    rope_apply(n, config->n_heads, head_dim, batch->positions, w->rope_cosine, w->rope_sine, -1.0f,
               d_q);
    rope_apply(n, config->n_kv_heads, head_dim, batch->positions, w->rope_cosine, w->rope_sine,
               -1.0f, w->d_k);
    projection_backward(w, n, layer->wq, NULL, a->normed, d_q, w->d_normed, false);
    projection_backward(w, n, layer->wk, NULL, a->normed, w->d_k, w->d_normed, true);
    projection_backward(w, n, layer->wv, NULL, a->normed, w->d_v, w->d_normed, true);
    norm_backward(w, n, layer->attention_norm, a->input, a->norm_r);
}

/* d_stream = gradient of the last layer's output, from the logits' gradients. */
static void output_backward(const struct model *model, struct workspace *w, size_t n) {
    size_t dim = model->config.dim, vocab_size = model->config.vocab_size;
    if (model->output->gradient != NULL) {
        /* The tied table's two gradients are separate chains, so that micro-batches continue both;
         * the trainer adds them at the end. */
        float *gradient = model->config.tied_output ? w->tied_gradient : model->output->gradient;
        linear_backward_weight(&w->matmul, n, dim, vocab_size, w->output_normed, w->logits,
                               gradient);
    }
    linear_backward_input(&w->matmul, n, dim, vocab_size, w->logits, model->output->data,
                          packed_weights_of(&w->packed, model->output).backward, w->d_normed,
                          false);
    rms_norm_backward(n, dim, w->output, model->norm->data, w->output_norm_r, w->d_normed,
                      w->d_stream, model->norm->gradient);
}

/* The gradient of the residual stream at a place whose value record_pass.c records. */
static void record_stream(const struct workspace *w, size_t n, size_t dim, size_t l,
                          const char *name) {
    recorder_add(w->recorder, TENSOR_F32, n, dim, w->d_stream, "backward.layers.%zu.%s", l, name);
}

void model_backward(const struct model *model, struct workspace *w, const struct batch *batch,
                    size_t lowest_layer, bool to_values_only) {
    const struct model_config *config = &model->config;
    size_t n = batch->n_tokens;
    profile_layer(PROFILE_OUTPUT, 0);
    output_backward(model, w, n);
    for (size_t l = config->n_layers; l-- > lowest_layer;) {
        const struct layer *layer = &model->layers[l];
        const struct layer_activations *a = &w->layers[l];
        profile_layer(PROFILE_FEED_FORWARD, l);
        if (layer->keys == NULL) {
            feed_forward_backward(w, layer, a, n);
        } else if (l == lowest_layer && to_values_only) {
            memory_layer_backward(model, w, l, n, false);
            return;
        } else {
            memory_layer_backward(model, w, l, n, true);
        }
        norm_backward(w, n, layer->ffn_norm, a->middle, a->ffn_norm_r);
        record_stream(w, n, config->dim, l, "after_attention");
        attention_block_backward(model, w, l, batch);
        record_stream(w, n, config->dim, l, "input");
    }
    memory_values_gradients(model, w, n);
    if (lowest_layer == 0 && model->embedding->gradient != NULL) {
        profile_layer(PROFILE_EMBEDDING, 0);
        embedding_backward(&w->scatter, n, config->vocab_size, config->dim, batch->tokens,
                           w->d_stream, model->embedding->gradient);
    }
}
