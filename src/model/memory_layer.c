#include "model/memory_layer.h"

#include <string.h>

#include "model/batch_reads.h"
#include "model/key_norm.h"
#include "nn/elementwise.h"
#include "nn/expert.h"
#include "nn/memory_values.h"
#include "nn/rms_norm.h"
#include "nn/scaled_branch.h"
#include "nn/sigmoid_gate.h"
#include "profile/profile.h"

static size_t reads_per_token(const struct model *model) {
    return model->config.memory.heads * model->config.memory.knn;
}

/* The rows of this layer in an array over all memory layers, [max_tokens, width]. */
static float *rows_of(const struct pass *pass, const struct layer *layer, float *all,
                      size_t width) {
    return all + layer->memory_index * pass->max_tokens * width;
}

static void read_forward(struct pass *pass, const struct layer *layer, struct layer_activations *a,
                         size_t n) {
    const struct model *model = pass->model;
    size_t reads = reads_per_token(model), v_dim = model->config.memory.v_dim;
    const struct row_table values = parameter_rows(layer->values);
    const float *weights = a->slot_weights;
    if (layer->values_u != NULL) {
        const struct row_table values_u = parameter_rows(layer->values_u);
        expert_forward(n, reads, v_dim, a->slots, a->slot_weights, &values_u, a->ffn_normed,
                       a->expert_hidden, a->expert_weights);
        weights = a->expert_weights;
        if (pass->training) {
            memcpy(rows_of(pass, layer, pass->activations.expert_inputs, v_dim), a->ffn_normed,
                   n * v_dim * sizeof(float));
        }
    }
    memory_values_forward(n, reads, v_dim, a->slots, weights, &values, a->read);
}

/* out = value_proj(read * silu(swilu_projection(x))), or less of it. */
static void project_read(struct pass *pass, const struct layer *layer, struct layer_activations *a,
                         size_t n, float *out) {
    size_t v_dim = pass->model->config.memory.v_dim;
    if (layer->value_weight == NULL) {
        memcpy(out, a->read, n * v_dim * sizeof(float));
        return;
    }
    const float *projected = a->read;
    if (layer->swilu_weight != NULL) {
        projection_forward(pass, n, layer->swilu_weight, layer->swilu_bias, a->ffn_normed,
                           a->swilu);
        elementwise_silu_multiply(n * v_dim, a->swilu, a->read, a->swilu_read);
        projected = a->swilu_read;
    }
    projection_forward(pass, n, layer->value_weight, layer->value_bias, projected, out);
}

/* Of a memory with qk_norm: where the lookup puts the sub-keys as they are scored, or where they
 * are when they are packed. */
static float *room_for_keys(const struct pass *pass, const struct layer *layer) {
    float *packed = packed_weights_of(&pass->packed, layer->keys).scored;
    size_t m = pass->training ? layer->memory_index : 0;
    return packed != NULL ? packed : pass->scratch.scored_keys + m * key_norm_size(layer->keys);
}

const float *memory_layer_scored_keys(const struct pass *pass, size_t l) {
    const struct layer *layer = &pass->model->layers[l];
    return layer->key_norm == NULL ? layer->keys->data : room_for_keys(pass, layer);
}

/* The sub-keys unless they are packed. */
void memory_layer_score(struct pass *pass, size_t l, size_t n) {
    const struct model *model = pass->model;
    const struct layer *layer = &model->layers[l];
    struct layer_activations *a = &pass->activations.layers[l];
    const bool normed = layer->key_norm != NULL;
    projection_forward(pass, n, layer->query_weight, layer->query_bias, a->ffn_normed,
                       normed ? a->query_projected : a->query);
    if (!normed) return;
    rms_norm_forward(n * 2 * model->config.memory.heads, layer->query_norm->count,
                     a->query_projected, layer->query_norm->data, model->config.norm_eps, a->query,
                     a->query_norm_r);
    if (packed_weights_of(&pass->packed, layer->keys).scored != NULL) return;
    key_norm_forward(model, layer->keys, room_for_keys(pass, layer));
}

bool memory_layer_lookup(struct pass *pass, size_t l, size_t n) {
    const struct layer *layer = &pass->model->layers[l];
    struct layer_activations *a = &pass->activations.layers[l];
    struct scratch *s = &pass->scratch;
    struct product_key_reads reads = layer_reads(a);
    memory_layer_score(pass, l, n);
    return product_key_forward(&s->product_key, &s->product_key_shape, n, a->query,
                               memory_layer_scored_keys(pass, l),
                               packed_weights_of(&pass->packed, layer->keys).forward, &reads);
}

void memory_layer_read(struct pass *pass, size_t l, size_t n, float *out) {
    const struct layer *layer = &pass->model->layers[l];
    struct layer_activations *a = &pass->activations.layers[l];
    read_forward(pass, layer, a, n);
    if (layer->gating_weight == NULL) {
        project_read(pass, layer, a, n, out);
        return;
    }
    project_read(pass, layer, a, n, a->ungated);
    projection_forward(pass, n, layer->gating_weight, layer->gating_bias, a->ffn_normed, a->gating);
    sigmoid_gate_forward(n, pass->model->config.dim, a->gating, a->ungated, out);
}

/* The gradient of the read, and of swilu_projection's output in d_wide1. */
static void project_read_backward(struct pass *pass, struct gradients *gradients,
                                  const struct layer *layer, const struct layer_activations *a,
                                  size_t n, const float *d_out, float *d_read) {
    size_t v_dim = pass->model->config.memory.v_dim;
    if (layer->value_weight == NULL) {
        memcpy(d_read, d_out, n * v_dim * sizeof(float));
        return;
    }
    const float *projected = layer->swilu_weight != NULL ? a->swilu_read : a->read;
    projection_backward(pass, gradients, n, layer->value_weight, layer->value_bias, projected,
                        d_out, d_read, false);
    if (layer->swilu_weight == NULL) return;
    elementwise_silu_multiply_backward(n * v_dim, a->swilu, a->read, d_read, pass->scratch.d_wide1,
                                       d_read);
}

/* Gradients of the lookup's weights in d_weights, and of PEER's products in d_expert_hidden. */
static void read_backward(struct pass *pass, const struct layer *layer,
                          const struct layer_activations *a, size_t n, const float *d_read) {
    size_t reads = reads_per_token(pass->model), v_dim = pass->model->config.memory.v_dim;
    const struct row_table values = parameter_rows(layer->values);
    float *d_weights = pass->scratch.d_weights;
    memory_values_backward_weights(n, reads, v_dim, a->slots, &values, d_read, d_weights);
    if (layer->values_u == NULL) return;
    expert_backward(n, reads, a->slot_weights, a->expert_hidden, d_weights,
                    rows_of(pass, layer, pass->activations.d_expert_hidden, reads));
}

/* The lookup's gradients; with d_x [n, dim] also that of x through it. */
static void lookup_backward(struct pass *pass, struct gradients *gradients, size_t l,
                            const struct layer_activations *a, size_t n, float *d_x,
                            bool accumulate) {
    const struct layer *layer = &pass->model->layers[l];
    struct scratch *s = &pass->scratch;
    const struct product_key_reads reads = layer_reads(a);
    product_key_backward(&s->scatter, &s->product_key_shape, n, a->query,
                         memory_layer_scored_keys(pass, l), &reads, s->d_weights, s->d_query,
                         gradient_of(gradients, layer->keys));
    if (layer->query_norm != NULL) {
        rms_norm_backward(n * 2 * pass->model->config.memory.heads, layer->query_norm->count,
                          a->query_projected, layer->query_norm->data, a->query_norm_r, s->d_query,
                          s->d_query, gradient_of(gradients, layer->query_norm));
    }
    projection_backward(pass, gradients, n, layer->query_weight, layer->query_bias, a->ffn_normed,
                        s->d_query, d_x, accumulate);
}

/* d_x += what comes through PEER's products. */
static void expert_inputs_backward(struct pass *pass, const struct layer *layer,
                                   const struct layer_activations *a, size_t n, float *d_x) {
    size_t per_token = reads_per_token(pass->model), v_dim = pass->model->config.memory.v_dim;
    const struct row_table values_u = parameter_rows(layer->values_u);
    memory_values_forward(n, per_token, v_dim, a->slots,
                          rows_of(pass, layer, pass->activations.d_expert_hidden, per_token),
                          &values_u, pass->scratch.d_branch);
    elementwise_add(n * v_dim, pass->scratch.d_branch, d_x);
}

/* Gradients of all that x goes into, and that of x unless d_x is NULL. */
static void inputs_backward(struct pass *pass, struct gradients *gradients, size_t l,
                            const struct layer_activations *a, size_t n, float *d_x) {
    const struct layer *layer = &pass->model->layers[l];
    struct scratch *s = &pass->scratch;
    lookup_backward(pass, gradients, l, a, n, d_x, layer->w1 != NULL);
    if (layer->swilu_weight != NULL) {
        projection_backward(pass, gradients, n, layer->swilu_weight, layer->swilu_bias,
                            a->ffn_normed, s->d_wide1, d_x, true);
    }
    if (layer->values_u != NULL && d_x != NULL) expert_inputs_backward(pass, layer, a, n, d_x);
    if (layer->gating_weight != NULL) {
        projection_backward(pass, gradients, n, layer->gating_weight, layer->gating_bias,
                            a->ffn_normed, s->d_gating, d_x, true);
    }
}

/* The gradient of what project_read made, in d_branch unless it is the stream's. */
static const float *output_backward(struct pass *pass, struct gradients *gradients,
                                    const struct layer *layer, const struct layer_activations *a,
                                    size_t n) {
    const size_t dim = pass->model->config.dim;
    struct scratch *s = &pass->scratch;
    const float *d_out = s->d_stream;
    if (layer->memory_scale != NULL) {
        scaled_branch_backward(n, dim, layer->memory_scale->data[0], a->memory_output, d_out,
                               s->d_branch, s->d_scale,
                               gradient_of(gradients, layer->memory_scale));
        d_out = s->d_branch;
    }
    if (layer->gating_weight == NULL) return d_out;
    sigmoid_gate_backward(n, dim, a->gating, a->ungated, d_out, s->d_gating, s->d_branch);
    return s->d_branch;
}

void memory_layer_backward(struct pass *pass, struct gradients *gradients, size_t l, size_t n,
                           enum backward_end end) {
    const struct layer *layer = &pass->model->layers[l];
    const struct layer_activations *a = &pass->activations.layers[l];
    const size_t v_dim = pass->model->config.memory.v_dim;
    float *d_read = rows_of(pass, layer, pass->activations.d_reads, v_dim);
    const float *d_out = output_backward(pass, gradients, layer, a, n);
    project_read_backward(pass, gradients, layer, a, n, d_out, d_read);
    if (end != BACKWARD_TO_VALUES || layer->values_u != NULL) {
        read_backward(pass, layer, a, n, d_read);
    }
    if (end == BACKWARD_TO_VALUES) return;
    inputs_backward(pass, gradients, l, a, n,
                    end == BACKWARD_WHOLE ? pass->scratch.d_normed : NULL);
}

/* The gradient of the first table of a kind, which the others' follow; NULL: frozen, or none. */
static float *gradient_of_tables(const struct model *model, const struct gradients *gradients,
                                 enum parameter_kind kind) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (p->kind == kind) return gradient_of(gradients, p);
    }
    return NULL;
}

void memory_values_gradients(struct pass *pass, struct gradients *gradients) {
    float *values = gradient_of_tables(pass->model, gradients, PARAMETER_VALUES);
    float *values_u = gradient_of_tables(pass->model, gradients, PARAMETER_VALUES_U);
    struct row_scatter *scatter = &pass->scratch.scatter;
    size_t v_dim = pass->model->config.memory.v_dim;
    if (values == NULL) return;
    batch_reads_sort(scatter, pass);
    row_scatter_add(scatter, v_dim, pass->activations.d_reads, v_dim, values);
    if (values_u == NULL) return;
    batch_reads_weigh_inputs(scatter, pass);
    row_scatter_add(scatter, v_dim, pass->activations.expert_inputs, v_dim, values_u);
}

void memory_keys_gradients(const struct pass *pass, const struct gradients *gradients) {
    const struct memory_config *memory = &pass->model->config.memory;
    for (size_t i = 0; memory->lookup_norm && i < memory->n_layers; i++) {
        const struct layer *layer = &pass->model->layers[memory->layers[i]];
        if (gradient_of(gradients, layer->keys) == NULL) continue;
        key_norm_backward(pass->model, gradients, layer->keys, room_for_keys(pass, layer));
    }
}
