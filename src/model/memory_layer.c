#include "model/memory_layer.h"

#include <string.h>

#include "model/projection.h"
#include "nn/elementwise.h"
#include "nn/expert.h"
#include "nn/memory_values.h"
#include "nn/sigmoid_gate.h"
#include "profile/profile.h"

static size_t reads_per_token(const struct model *model) {
    return model->config.memory.heads * model->config.memory.knn;
}

/* The rows of this layer in the workspace's arrays over all memory layers, [max_tokens, width]. */
static float *rows_of(const struct workspace *w, const struct layer *layer, float *all,
                      size_t width) {
    return all + layer->memory_index * w->max_tokens * width;
}

/* What the read sums the value rows with: the softmax, or PEER's product with the activation. */
static const float *read_weights(const struct layer_activations *a) {
    return a->expert_weights != NULL ? a->expert_weights : a->reads.weights;
}

static void read_forward(const struct model *model, struct workspace *w, const struct layer *layer,
                         struct layer_activations *a, size_t n) {
    size_t reads = reads_per_token(model), v_dim = model->config.memory.v_dim;
    if (layer->values_u != NULL) {
        expert_forward(n, reads, v_dim, a->reads.slots, a->reads.weights, layer->values_u->data,
                       a->ffn_normed, a->expert_hidden, a->expert_weights);
        if (w->training) {
            memcpy(rows_of(w, layer, w->expert_inputs, v_dim), a->ffn_normed,
                   n * v_dim * sizeof(float));
        }
    }
    memory_values_forward(n, reads, v_dim, a->reads.slots, read_weights(a), layer->values->data,
                          a->read);
}

/* out = value_proj(read * silu(swilu_projection(x))), or less of it. */
static void project_read(const struct model *model, struct workspace *w, const struct layer *layer,
                         struct layer_activations *a, size_t n, float *out) {
    size_t v_dim = model->config.memory.v_dim;
    if (layer->value_weight == NULL) {
        memcpy(out, a->read, n * v_dim * sizeof(float));
        return;
    }
    const float *projected = a->read;
    if (layer->swilu_weight != NULL) {
        projection_forward(w, n, layer->swilu_weight, layer->swilu_bias, a->ffn_normed, a->swilu);
        elementwise_silu_multiply(n * v_dim, a->swilu, a->read, a->gated);
        projected = a->gated;
    }
    projection_forward(w, n, layer->value_weight, layer->value_bias, projected, out);
}

bool memory_layer_lookup(const struct model *model, struct workspace *w, size_t l, size_t n) {
    const struct layer *layer = &model->layers[l];
    struct layer_activations *a = &w->layers[l];
    projection_forward(w, n, layer->query_weight, layer->query_bias, a->ffn_normed, a->query);
    return product_key_forward(&w->product_key, &w->product_key_shape, n, a->query,
                               layer->keys->data,
                               packed_weights_of(&w->packed, layer->keys).forward, &a->reads);
}

void memory_layer_read(const struct model *model, struct workspace *w, size_t l, size_t n,
                       float *out) {
    const struct layer *layer = &model->layers[l];
    struct layer_activations *a = &w->layers[l];
    read_forward(model, w, layer, a, n);
    if (layer->gating_weight == NULL) {
        project_read(model, w, layer, a, n, out);
        return;
    }
    project_read(model, w, layer, a, n, a->ungated);
    projection_forward(w, n, layer->gating_weight, layer->gating_bias, a->ffn_normed, a->gating);
    sigmoid_gate_forward(n, model->config.dim, a->gating, a->ungated, out);
}

/* The gradient of the read, and of swilu_projection's output in d_wide1. */
static void project_read_backward(const struct model *model, struct workspace *w,
                                  const struct layer *layer, const struct layer_activations *a,
                                  size_t n, const float *d_out, float *d_read) {
    size_t v_dim = model->config.memory.v_dim;
    if (layer->value_weight == NULL) {
        memcpy(d_read, d_out, n * v_dim * sizeof(float));
        return;
    }
    const float *projected = layer->swilu_weight != NULL ? a->gated : a->read;
    projection_backward(w, n, layer->value_weight, layer->value_bias, projected, d_out, d_read,
                        false);
    if (layer->swilu_weight == NULL) return;
    elementwise_silu_multiply_backward(n * v_dim, a->swilu, a->read, d_read, w->d_wide1, d_read);
}

/* Gradients of the lookup's weights in d_weights, and of PEER's products in d_expert_hidden. */
static void read_backward(const struct model *model, struct workspace *w, const struct layer *layer,
                          const struct layer_activations *a, size_t n, const float *d_read) {
    size_t reads = reads_per_token(model), v_dim = model->config.memory.v_dim;
    memory_values_backward_weights(n, reads, v_dim, a->reads.slots, layer->values->data, d_read,
                                   w->d_weights);
    if (layer->values_u == NULL) return;
    expert_backward(n, reads, a->reads.weights, a->expert_hidden, w->d_weights,
                    rows_of(w, layer, w->d_expert_hidden, reads));
}

/* d_normed = the gradient of x through every path that leaves it. */
static void inputs_backward(const struct model *model, struct workspace *w,
                            const struct layer *layer, const struct layer_activations *a,
                            size_t n) {
    size_t reads = reads_per_token(model), v_dim = model->config.memory.v_dim;
    product_key_backward(&w->scatter, &w->product_key_shape, n, a->query, layer->keys->data,
                         &a->reads, w->d_weights, w->d_query, layer->keys->gradient);
    projection_backward(w, n, layer->query_weight, layer->query_bias, a->ffn_normed, w->d_query,
                        w->d_normed, false);
    if (layer->swilu_weight != NULL) {
        projection_backward(w, n, layer->swilu_weight, layer->swilu_bias, a->ffn_normed, w->d_wide1,
                            w->d_normed, true);
    }
    if (layer->values_u != NULL) {
        memory_values_forward(n, reads, v_dim, a->reads.slots,
                              rows_of(w, layer, w->d_expert_hidden, reads), layer->values_u->data,
                              w->d_branch);
        elementwise_add(n * v_dim, w->d_branch, w->d_normed);
    }
    if (layer->gating_weight != NULL) {
        projection_backward(w, n, layer->gating_weight, layer->gating_bias, a->ffn_normed,
                            w->d_gating, w->d_normed, true);
    }
}

void memory_layer_backward(const struct model *model, struct workspace *w, size_t l, size_t n,
                           bool whole) {
    const struct layer *layer = &model->layers[l];
    const struct layer_activations *a = &w->layers[l];
    const float *d_out = w->d_stream;
    float *d_read = rows_of(w, layer, w->d_reads, model->config.memory.v_dim);
    if (layer->gating_weight != NULL) {
        sigmoid_gate_backward(n, model->config.dim, a->gating, a->ungated, w->d_stream, w->d_gating,
                              w->d_branch);
        d_out = w->d_branch;
    }
    project_read_backward(model, w, layer, a, n, d_out, d_read);
    if (whole || layer->values_u != NULL) read_backward(model, w, layer, a, n, d_read);
    if (whole) inputs_backward(model, w, layer, a, n);
}

/* The first table of a kind; all tables of a kind lie one after the other. */
static const struct parameter *first_table(const struct model *model, enum parameter_kind kind) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        if (model->parameters[i].kind == kind) return &model->parameters[i];
    }
    return NULL;
}

void memory_values_gradients(const struct model *model, struct workspace *w, size_t n) {
    const struct parameter *values = first_table(model, PARAMETER_VALUES);
    const struct parameter *values_u = first_table(model, PARAMETER_VALUES_U);
    size_t v_dim = model->config.memory.v_dim;
    if (values == NULL || values->gradient == NULL) return;
    workspace_sort_reads(w, model, n);
    row_scatter_add(&w->scatter, v_dim, w->d_reads, v_dim, values->gradient);
    if (values_u == NULL) return;
    workspace_sort_expert_inputs(w, model, n);
    row_scatter_add(&w->scatter, v_dim, w->expert_inputs, v_dim, values_u->gradient);
}

/* Lists every read with its coefficient: d_expert_hidden, or else the read's own weight. */
static void sort_reads(struct workspace *w, const struct model *model, size_t n_tokens,
                       bool of_inputs) {
    const struct memory_config *config = &model->config.memory;
    const size_t reads = reads_per_token(model), n_slots = model_n_slots(&model->config);
    profile_layer(PROFILE_VALUES, 0);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n_tokens; i++) {
        for (size_t m = 0; m < config->n_layers; m++) {
            const struct layer *layer = &model->layers[config->layers[m]];
            const struct layer_activations *a = &w->layers[config->layers[m]];
            const float *coefficients =
                of_inputs ? rows_of(w, layer, w->d_expert_hidden, reads) : read_weights(a);
            for (size_t r = 0; r < reads; r++) {
                size_t e = (i * config->n_layers + m) * reads + r;
                size_t slot = layer->table_index * n_slots + (size_t)a->reads.slots[i * reads + r];
                w->scatter.rows[e] = (int32_t)slot;
                w->scatter.coefficients[e] = coefficients[i * reads + r];
                w->scatter.sources[e] = (int32_t)(m * w->max_tokens + i);
            }
        }
    }
    row_scatter_sort(&w->scatter, n_tokens * config->n_layers * reads, model->n_tables * n_slots);
}

void workspace_sort_reads(struct workspace *w, const struct model *model, size_t n_tokens) {
    sort_reads(w, model, n_tokens, false);
}

void workspace_sort_expert_inputs(struct workspace *w, const struct model *model, size_t n_tokens) {
    sort_reads(w, model, n_tokens, true);
}
