#include "model/scratch.h"

#include "model/layer_tables.h"
#include "nn/rope.h"

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static mneme_status place(struct scratch *scratch, const struct model_config *config,
                          size_t max_tokens, bool training, mneme_error *error) {
    const struct layer_sizes s = layer_sizes(config);
    const size_t n = training ? max_tokens : 0, n_memory = config->memory.n_layers > 0 ? n : 0;
    const size_t wide = larger(larger(s.q, s.hidden), s.value), row = sizeof(float);
    const size_t angles = model_head_dim(config) * sizeof(float);
    const struct arena_piece pieces[] = {{&scratch->rope_cosine, config->max_seq_len, angles},
                                         {&scratch->rope_sine, config->max_seq_len, angles},
                                         {&scratch->d_stream, n, s.dim * row},
                                         {&scratch->d_normed, n, s.dim * row},
                                         {&scratch->d_branch, n, s.dim * row},
                                         {&scratch->d_wide1, n, wide * row},
                                         {&scratch->d_wide2, n, wide * row},
                                         {&scratch->d_k, n, s.kv * row},
                                         {&scratch->d_v, n, s.kv * row},
                                         {&scratch->d_query, n_memory, s.query * row},
                                         {&scratch->d_weights, n_memory, s.reads * row},
                                         {&scratch->d_gating, n_memory, row}};
    return arena_layout(&scratch->arena, sizeof pieces / sizeof *pieces, pieces, "activations",
                        error);
}

/* The families that bring their own memory. */
static mneme_status open_families(struct scratch *scratch, const struct model_config *config,
                                  size_t max_tokens, bool training, mneme_error *error) {
    const struct memory_config *memory = &config->memory;
    scratch->attention_shape = (struct attention_shape){.heads = config->n_heads,
                                                        .kv_heads = config->n_kv_heads,
                                                        .head_dim = model_head_dim(config),
                                                        .max_positions = config->max_seq_len};
    TRY(matmul_scratch_open(&scratch->matmul, error));
    TRY(attention_scratch_open(&scratch->attention, &scratch->attention_shape, error));
    if (memory->n_layers > 0) {
        scratch->product_key_shape = model_product_key_shape(config);
        TRY(product_key_scratch_open(&scratch->product_key, &scratch->product_key_shape, error));
    }
    if (!training) return MNEME_OK;
    /* The value tables' reads of all memory layers, or one layer's reads of both key halves. */
    size_t reads = memory->n_layers == 0 ? 0 : memory->heads * memory->knn;
    size_t per_token = larger(1, reads * larger(2, memory->n_layers));
    return row_scatter_open(&scratch->scatter, max_tokens * per_token, error);
}

mneme_status scratch_open(struct scratch *scratch, const struct model_config *config,
                          size_t max_tokens, bool training, mneme_error *error) {
    *scratch = (struct scratch){0};
    mneme_status status = place(scratch, config, max_tokens, training, error);
    THEN(open_families(scratch, config, max_tokens, training, error));
    if (status != MNEME_OK) {
        scratch_close(scratch);
        return status;
    }
    rope_table(config->max_seq_len, model_head_dim(config), config->rope_theta,
               scratch->rope_cosine, scratch->rope_sine);
    return MNEME_OK;
}

void scratch_close(struct scratch *scratch) {
    row_scatter_close(&scratch->scatter);
    product_key_scratch_close(&scratch->product_key);
    attention_scratch_close(&scratch->attention);
    matmul_scratch_close(&scratch->matmul);
    arena_close(&scratch->arena);
    *scratch = (struct scratch){0};
}
