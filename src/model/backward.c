#include <assert.h>
#include <string.h>

#include "model/adapter.h"
#include "model/pass.h"
#include "nn/elementwise.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/memory_values.h"
#include "nn/rms_norm.h"
#include "nn/rope.h"
#include "profile/profile.h"

/* Backward of project() in forward.c: gradients of weight, bias and adapter where they train, and
 * dx (overwritten, or += with accumulate) unless it is NULL. */
static void project_backward(struct workspace *w, size_t n, const struct parameter *weight,
                             const struct parameter *bias, const float *x, const float *dy,
                             float *dx, bool accumulate) {
    size_t in = weight->shape[1], out = weight->shape[0];
    if (weight->gradient != NULL) {
        linear_backward_weight(&w->matmul, n, in, out, x, dy, weight->gradient);
    }
    if (bias != NULL && bias->gradient != NULL) linear_backward_bias(n, out, dy, bias->gradient);
    if (dx != NULL) {
        linear_backward_input(&w->matmul, n, in, out, dy, weight->data,
                              packed_weights_of(&w->packed, weight).backward, dx, accumulate);
    }
    const struct adapter *adapter = weight->adapter;
    if (adapter == NULL) return;
    lora_backward(&w->matmul, n, in, out, adapter->a.shape[0], adapter->scale, x, adapter->a.data,
                  adapter->b.data, adapter->hidden, dy, adapter->dhidden, adapter->a.gradient,
                  adapter->b.gradient, dx);
}

/* d_normed = gradient of the FFN's input, from d_stream. */
static void feed_forward_backward(struct workspace *w, const struct layer *layer,
                                  const struct layer_activations *a, size_t n) {
    project_backward(w, n, layer->w2, NULL, a->hidden, w->d_stream, w->d_wide1, false);
    elementwise_silu_multiply_backward(n * layer->w1->shape[0], a->gate, a->up, w->d_wide1,
                                       w->d_wide1, w->d_wide2);
    project_backward(w, n, layer->w1, NULL, a->ffn_normed, w->d_wide1, w->d_normed, false);
    project_backward(w, n, layer->w3, NULL, a->ffn_normed, w->d_wide2, w->d_normed, true);
}

static float *reads_gradient(const struct workspace *w, const struct memory_config *config,
                             const struct layer *layer) {
    return w->d_reads + layer->memory_index * w->max_tokens * config->v_dim;
}

/* The gradient of the value reads, and of the gate in d_wide1. */
static void memory_reads_backward(struct workspace *w, const struct memory_config *config,
                                  const struct layer *layer, const struct layer_activations *a,
                                  size_t n) {
    float *d_read = reads_gradient(w, config, layer);
    project_backward(w, n, layer->value_weight, layer->value_bias, a->gated, w->d_stream, d_read,
                     false);
    elementwise_silu_multiply_backward(n * config->v_dim, a->swilu, a->read, d_read, w->d_wide1,
                                       d_read);
}

static void memory_backward(struct workspace *w, const struct memory_config *config,
                            const struct layer *layer, const struct layer_activations *a,
                            size_t n) {
    memory_reads_backward(w, config, layer, a, n);
    memory_values_backward_weights(n, config->heads * config->knn, config->v_dim, a->reads.slots,
                                   layer->values->data, reads_gradient(w, config, layer),
                                   w->d_weights);
    product_key_backward(&w->scatter, &w->product_key_shape, n, a->query, layer->keys->data,
                         &a->reads, w->d_weights, w->d_query, layer->keys->gradient);
    project_backward(w, n, layer->query_weight, layer->query_bias, a->ffn_normed, w->d_query,
                     w->d_normed, false);
    project_backward(w, n, layer->swilu_weight, layer->swilu_bias, a->ffn_normed, w->d_wide1,
                     w->d_normed, true);
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
    project_backward(w, n, layer->wo, NULL, a->attention, w->d_stream, w->d_wide1, false);
    attention_backward(&w->attention, &w->attention_shape, batch->n_sequences, batch->starts, a->q,
                       a->k, a->v, w->d_wide1, d_q, w->d_k, w->d_v);
    rope_apply(n, config->n_heads, head_dim, batch->positions, w->rope_cosine, w->rope_sine, -1.0f,
               d_q);
    rope_apply(n, config->n_kv_heads, head_dim, batch->positions, w->rope_cosine, w->rope_sine,
               -1.0f, w->d_k);
    project_backward(w, n, layer->wq, NULL, a->normed, d_q, w->d_normed, false);
    project_backward(w, n, layer->wk, NULL, a->normed, w->d_k, w->d_normed, true);
    project_backward(w, n, layer->wv, NULL, a->normed, w->d_v, w->d_normed, true);
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

/* One chain per slot over (token, layer, head, rank), once all layers' read gradients are there. */
static void values_backward(const struct model *model, struct workspace *w, size_t n) {
    if (model->n_tables == 0) return;
    const struct parameter *first = NULL;
    for (size_t i = 0; first == NULL && i < model->n_parameters; i++) {
        if (model->parameters[i].is_values) first = &model->parameters[i];
    }
    assert(first != NULL);
    if (first->gradient == NULL) return;
    size_t v_dim = model->config.memory.v_dim;
    workspace_sort_reads(w, model, n);
    row_scatter_add(&w->scatter, v_dim, w->d_reads, v_dim, first->gradient);
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
            memory_reads_backward(w, &config->memory, layer, a, n);
            return;
        } else {
            memory_backward(w, &config->memory, layer, a, n);
        }
        norm_backward(w, n, layer->ffn_norm, a->middle, a->ffn_norm_r);
        record_stream(w, n, config->dim, l, "after_attention");
        attention_block_backward(model, w, l, batch);
        record_stream(w, n, config->dim, l, "input");
    }
    values_backward(model, w, n);
    if (lowest_layer == 0 && model->embedding->gradient != NULL) {
        profile_layer(PROFILE_EMBEDDING, 0);
        embedding_backward(&w->scatter, n, config->vocab_size, config->dim, batch->tokens,
                           w->d_stream, model->embedding->gradient);
    }
}

void workspace_sort_reads(struct workspace *w, const struct model *model, size_t n_tokens) {
    const struct memory_config *config = &model->config.memory;
    const size_t reads = config->heads * config->knn, n_slots = model_n_slots(&model->config);
    profile_layer(PROFILE_VALUES, 0);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n_tokens; i++) {
        for (size_t m = 0; m < config->n_layers; m++) {
            const struct layer *layer = &model->layers[config->layers[m]];
            const struct product_key_reads *found = &w->layers[config->layers[m]].reads;
            for (size_t r = 0; r < reads; r++) {
                size_t e = (i * config->n_layers + m) * reads + r;
                size_t slot = layer->table_index * n_slots + (size_t)found->slots[i * reads + r];
                w->scatter.rows[e] = (int32_t)slot;
                w->scatter.coefficients[e] = found->weights[i * reads + r];
                w->scatter.sources[e] = (int32_t)(m * w->max_tokens + i);
            }
        }
    }
    row_scatter_sort(&w->scatter, n_tokens * config->n_layers * reads, model->n_tables * n_slots);
}
