#include "model/generate.h"

#include <stdlib.h>
#include <string.h>

#include "profile/profile.h"
#include "simd/simd.h"

/* Tokens of one pass over the prompts. */
#define PASS_TOKENS 1024

static mneme_status open_cache(struct generator *g, size_t n_rows, mneme_error *error) {
    const struct model_config *config = &g->model->config;
    size_t stride =
        (g->max_positions + ATTENTION_KEY_BLOCK - 1) / ATTENTION_KEY_BLOCK * ATTENTION_KEY_BLOCK;
    size_t row = config->n_kv_heads * model_head_dim(config) * stride * sizeof(float), n = 0;
    struct arena_piece *pieces = calloc(2 * config->n_layers + 4, sizeof *pieces);
    g->cache = (struct kv_cache){n_rows, calloc(config->n_layers, sizeof *g->cache.layers)};
    mneme_status status = MNEME_OK;
    if (pieces == NULL || g->cache.layers == NULL) {
        status = error_set_memory(error, "the key-value cache");
    } else {
        for (size_t l = 0; l < config->n_layers; l++) {
            g->cache.layers[l].stride = stride;
            pieces[n++] = (struct arena_piece){&g->cache.layers[l].keys, n_rows, row};
            pieces[n++] = (struct arena_piece){&g->cache.layers[l].values, n_rows, row};
        }
        pieces[n++] = (struct arena_piece){&g->rows, n_rows, sizeof *g->rows};
        pieces[n++] = (struct arena_piece){&g->active, n_rows, sizeof *g->active};
        pieces[n++] = (struct arena_piece){&g->next, n_rows, sizeof *g->next};
        pieces[n++] = (struct arena_piece){&g->normed, n_rows, config->dim * sizeof *g->normed};
        status = arena_layout(&g->arena, n, pieces, "the key-value cache", error);
    }
    free(pieces);
    return status;
}

mneme_status generator_open(struct generator *generator, const struct model *model, size_t n_rows,
                            size_t max_positions, mneme_error *error) {
    size_t limit = model->config.max_seq_len;
    *generator = (struct generator){.model = model};
    generator->max_positions = max_positions < limit ? max_positions : limit;
    size_t tokens = PASS_TOKENS > n_rows ? PASS_TOKENS : n_rows;
    if (tokens < generator->max_positions) tokens = generator->max_positions;
    mneme_status status = pass_open(&generator->pass, model, tokens, false, error);
    THEN(pass_pack(&generator->pass, model->config.n_layers, error));
    THEN(batch_builder_open(&generator->builder, tokens, error));
    THEN(open_cache(generator, n_rows, error));
    if (status != MNEME_OK) generator_close(generator);
    return status;
}

void generator_close(struct generator *generator) {
    pass_close(&generator->pass);
    free(generator->cache.layers);
    batch_builder_close(&generator->builder);
    arena_close(&generator->arena);
    *generator = (struct generator){0};
}

/* Runs the sequences in the builder and chooses the next token of each: next[i] for the i-th. */
static mneme_status choose_tokens(struct generator *g, mneme_error *error) {
    struct batch batch = batch_builder_whole(&g->builder);
    struct continuation continuation = {
        .cache = &g->cache, .pasts = g->builder.pasts, .rows = g->rows};
    struct activations *a = &g->pass.activations;
    TRY(model_forward(&g->pass, &batch, &continuation, error));
    size_t dim = g->model->config.dim, vocab_size = g->model->config.vocab_size;
    for (size_t i = 0; i < batch.n_sequences; i++) {
        memcpy(g->normed + i * dim, a->output_normed + (batch.starts[i + 1] - 1) * dim,
               dim * sizeof(float));
    }
    model_logits(&g->pass, batch.n_sequences, g->normed, a->logits);
    const struct simd_kernels *kernels = simd();
    PROFILE(choose_token, batch.n_sequences, vocab_size);
    for (size_t i = 0; i < batch.n_sequences; i++) {
        float best;
        if (!kernels->topk_row(vocab_size, a->logits + i * vocab_size, 1, &best, &g->next[i])) {
            return error_set(error, MNEME_FAILED, "a logit is NaN while generating");
        }
    }
    return MNEME_OK;
}

/* One group of prompts, at most as many as the cache has rows. */
struct group {
    size_t n;
    const struct token_span *prompts;
    size_t max_new;
    int32_t stop_token;
    int32_t *outputs; /* [n, max_new] */
    size_t *lengths;  /* [n] */
};

/* Takes the chosen tokens of the last pass: a sequence that goes on keeps its row in `active`. */
static size_t take_tokens(struct generator *g, const struct group *group, size_t n_sequences,
                          size_t *active, size_t n_active) {
    for (size_t i = 0; i < n_sequences; i++) {
        size_t row = g->rows[i];
        if (g->next[i] == group->stop_token) continue;
        group->outputs[row * group->max_new + group->lengths[row]++] = g->next[i];
        size_t position = group->prompts[row].n + group->lengths[row];
        bool room = position < g->max_positions && group->lengths[row] < group->max_new;
        if (room) active[n_active++] = row;
    }
    return n_active;
}

/* Reads the prompts, as many per pass as fit; fills active with the rows that go on. */
static mneme_status read_prompts(struct generator *g, const struct group *group, size_t *active,
                                 size_t *n_active, mneme_error *error) {
    *n_active = 0;
    size_t row = 0;
    while (row < group->n) {
        batch_builder_clear(&g->builder);
        size_t n = 0;
        for (; row < group->n; row++, n++) {
            const struct token_span *prompt = &group->prompts[row];
            if (!batch_builder_add(&g->builder, prompt->n, prompt->tokens, NULL, 0)) break;
            g->rows[n] = row;
        }
        TRY(choose_tokens(g, error));
        *n_active = take_tokens(g, group, n, active, *n_active);
    }
    return MNEME_OK;
}

static mneme_status continue_group(struct generator *g, const struct group *group, size_t *active,
                                   mneme_error *error) {
    size_t n_active;
    TRY(read_prompts(g, group, active, &n_active, error));
    while (n_active > 0) {
        batch_builder_clear(&g->builder);
        for (size_t i = 0; i < n_active; i++) {
            size_t row = active[i], length = group->lengths[row];
            batch_builder_add(&g->builder, 1, &group->outputs[row * group->max_new + length - 1],
                              NULL, group->prompts[row].n + length - 1);
            g->rows[i] = row;
        }
        TRY(choose_tokens(g, error));
        n_active = take_tokens(g, group, n_active, active, 0);
    }
    return MNEME_OK;
}

mneme_status generate_greedy(struct generator *generator, size_t n,
                             const struct token_span *prompts, size_t max_new, int32_t stop_token,
                             int32_t *outputs, size_t *lengths, mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        lengths[i] = 0;
        if (prompts[i].n == 0 || prompts[i].n > generator->max_positions) {
            return error_set(error, MNEME_BAD_INPUT,
                             "prompt %zu: %zu tokens, the model takes 1 to %zu", i + 1,
                             prompts[i].n, generator->max_positions);
        }
    }
    if (max_new == 0) return MNEME_OK;
    for (size_t first = 0; first < n; first += generator->cache.n_rows) {
        size_t rows = generator->cache.n_rows;
        struct group group = {.n = n - first < rows ? n - first : rows,
                              .prompts = prompts + first,
                              .max_new = max_new,
                              .stop_token = stop_token,
                              .outputs = outputs + first * max_new,
                              .lengths = lengths + first};
        TRY(continue_group(generator, &group, generator->active, error));
    }
    return MNEME_OK;
}
