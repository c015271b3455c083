#include "model/workspace.h"

#include <stdlib.h>

#include "nn/rope.h"

/* The layout is walked twice: once to reserve, once to take. */
struct layout {
    struct arena *arena;
    bool taking;
    bool fits;
};

static void place(struct layout *layout, void *pointer, size_t rows, size_t columns) {
    size_t count;
    if (!size_multiply(rows, columns, &count)) {
        layout->fits = false;
    } else if (!layout->taking) {
        layout->fits = arena_reserve(layout->arena, count, sizeof(float)) && layout->fits;
    } else {
        *(void **)pointer = arena_take(layout->arena, count, sizeof(float));
    }
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static void place_memory(struct layout *layout, struct layer_activations *a, size_t n,
                         const struct model_config *config) {
    const struct memory_config *memory = &config->memory;
    size_t reads = memory->heads * memory->knn;
    place(layout, &a->query, n, memory->heads * memory->k_dim);
    place(layout, &a->reads.slots, n, reads);
    place(layout, &a->reads.rows, n, reads);
    place(layout, &a->reads.columns, n, reads);
    place(layout, &a->reads.weights, n, reads);
    place(layout, &a->read, n, memory->v_dim);
    if (memory->swilu_projection) {
        place(layout, &a->swilu, n, memory->v_dim);
        place(layout, &a->gated, n, memory->v_dim);
    }
    if (memory->peer_variant) {
        place(layout, &a->expert_hidden, n, reads);
        place(layout, &a->expert_weights, n, reads);
    }
    if (memory->gated) {
        place(layout, &a->gating, n, 1);
        place(layout, &a->ungated, n, config->dim);
    }
}

static void place_feed_forward(struct layout *layout, struct layer_activations *a, size_t n,
                               size_t hidden) {
    place(layout, &a->gate, n, hidden);
    place(layout, &a->up, n, hidden);
    place(layout, &a->hidden, n, hidden);
}

static void place_attention(struct layout *layout, struct layer_activations *a, size_t n,
                            const struct model_config *config) {
    size_t q_dim = config->n_heads * model_head_dim(config);
    size_t kv_dim = config->n_kv_heads * model_head_dim(config);
    place(layout, &a->input, n, config->dim);
    place(layout, &a->normed, n, config->dim);
    place(layout, &a->norm_r, n, 1);
    place(layout, &a->q, n, q_dim);
    place(layout, &a->k, n, kv_dim);
    place(layout, &a->v, n, kv_dim);
    place(layout, &a->attention, n, q_dim);
    place(layout, &a->middle, n, config->dim);
    place(layout, &a->ffn_normed, n, config->dim);
    place(layout, &a->ffn_norm_r, n, 1);
}

static void place_layers(struct layout *layout, struct workspace *w, const struct model *model) {
    const struct model_config *config = &model->config;
    size_t hidden = model_hidden_dim(config), n = w->max_tokens;
    if (!w->training) {
        place_attention(layout, &w->layers[0], n, config);
        place_feed_forward(layout, &w->layers[0], n, hidden);
        if (config->memory.n_layers > 0) place_memory(layout, &w->layers[0], n, config);
        for (size_t l = 1; l < config->n_layers; l++) w->layers[l] = w->layers[0];
        return;
    }
    for (size_t l = 0; l < config->n_layers; l++) {
        place_attention(layout, &w->layers[l], n, config);
        if (model_layer_has_memory(config, l)) {
            place_memory(layout, &w->layers[l], n, config);
        } else {
            place_feed_forward(layout, &w->layers[l], n, hidden);
        }
    }
}

static void place_memory_backward(struct layout *layout, struct workspace *w,
                                  const struct model_config *config) {
    const struct memory_config *memory = &config->memory;
    size_t n = w->max_tokens, reads = memory->heads * memory->knn;
    place(layout, &w->d_query, n, memory->heads * memory->k_dim);
    place(layout, &w->d_weights, n, reads);
    place(layout, &w->d_reads, n, memory->n_layers * memory->v_dim);
    if (memory->gated) place(layout, &w->d_gating, n, 1);
    if (!memory->peer_variant) return;
    place(layout, &w->d_expert_hidden, n, memory->n_layers * reads);
    place(layout, &w->expert_inputs, n, memory->n_layers * memory->v_dim);
}

static void place_backward(struct layout *layout, struct workspace *w, const struct model *model) {
    const struct model_config *config = &model->config;
    size_t n = w->max_tokens, head_dim = model_head_dim(config);
    size_t wide = larger(config->n_heads * head_dim, model_hidden_dim(config));
    wide = larger(wide, config->memory.v_dim);
    place(layout, &w->d_stream, n, config->dim);
    place(layout, &w->d_normed, n, config->dim);
    place(layout, &w->d_branch, n, config->dim);
    place(layout, &w->d_wide1, n, wide);
    place(layout, &w->d_wide2, n, wide);
    place(layout, &w->d_k, n, config->n_kv_heads * head_dim);
    place(layout, &w->d_v, n, config->n_kv_heads * head_dim);
    if (config->memory.n_layers > 0) place_memory_backward(layout, w, config);
    if (config->tied_output) place(layout, &w->tied_gradient, config->vocab_size, config->dim);
}

static void place_all(struct layout *layout, struct workspace *w, const struct model *model) {
    const struct model_config *config = &model->config;
    size_t n = w->max_tokens, head_dim = model_head_dim(config);
    place_layers(layout, w, model);
    place(layout, &w->output, n, config->dim);
    place(layout, &w->output_normed, n, config->dim);
    place(layout, &w->output_norm_r, n, 1);
    place(layout, &w->logits, n, config->vocab_size);
    place(layout, &w->losses, n, 1);
    place(layout, &w->rope_cosine, config->max_seq_len, head_dim);
    place(layout, &w->rope_sine, config->max_seq_len, head_dim);
    if (w->training) place_backward(layout, w, model);
}

/* The families that bring their own memory. */
static mneme_status open_scratch(struct workspace *w, const struct model *model,
                                 mneme_error *error) {
    const struct model_config *config = &model->config;
    const struct memory_config *memory = &config->memory;
    w->attention_shape = (struct attention_shape){.heads = config->n_heads,
                                                  .kv_heads = config->n_kv_heads,
                                                  .head_dim = model_head_dim(config),
                                                  .max_positions = config->max_seq_len};
    mneme_status status = matmul_scratch_open(&w->matmul, error);
    if (status == MNEME_OK) {
        status = attention_scratch_open(&w->attention, &w->attention_shape, error);
    }
    if (status == MNEME_OK && memory->n_layers > 0) {
        w->product_key_shape = model_product_key_shape(config);
        status = product_key_scratch_open(&w->product_key, &w->product_key_shape, error);
    }
    if (status == MNEME_OK && w->training) {
        /* The value tables' reads of all memory layers, or one layer's reads of both key halves. */
        size_t reads = memory->n_layers == 0 ? 0 : memory->heads * memory->knn;
        size_t per_token = larger(1, reads * larger(2, memory->n_layers));
        status = row_scatter_open(&w->scatter, w->max_tokens * per_token, error);
    }
    return status;
}

mneme_status workspace_open(struct workspace *workspace, const struct model *model,
                            size_t max_tokens, bool training, mneme_error *error) {
    *workspace = (struct workspace){.max_tokens = max_tokens, .training = training};
    workspace->layers = calloc(model->config.n_layers, sizeof *workspace->layers);
    if (workspace->layers == NULL) return error_set_memory(error, "activations");
    struct layout layout = {.arena = &workspace->arena, .fits = true};
    place_all(&layout, workspace, model);
    mneme_status status = layout.fits ? arena_open(&workspace->arena, "activations", error)
                                      : error_set_memory(error, "activations");
    if (status == MNEME_OK) {
        layout.taking = true;
        place_all(&layout, workspace, model);
        rope_table(model->config.max_seq_len, model_head_dim(&model->config),
                   model->config.rope_theta, workspace->rope_cosine, workspace->rope_sine);
        status = open_scratch(workspace, model, error);
    }
    if (status != MNEME_OK) workspace_close(workspace);
    return status;
}

mneme_status workspace_pack(struct workspace *workspace, const struct model *model,
                            size_t lowest_backward_layer, mneme_error *error) {
    return packed_weights_open(&workspace->packed, model, lowest_backward_layer, error);
}

void workspace_close(struct workspace *workspace) {
    packed_weights_close(&workspace->packed);
    row_scatter_close(&workspace->scatter);
    product_key_scratch_close(&workspace->product_key);
    attention_scratch_close(&workspace->attention);
    matmul_scratch_close(&workspace->matmul);
    arena_close(&workspace->arena);
    free(workspace->layers);
    *workspace = (struct workspace){0};
}
