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
    size_t floats = config->n_kv_heads * model_head_dim(config) * stride;
    bool fits = size_multiply(floats, n_rows, &floats);
    for (size_t i = 0; fits && i < 2 * config->n_layers; i++) {
        fits = arena_reserve(&g->arena, floats, sizeof(float));
    }
    fits = fits && arena_reserve(&g->arena, config->n_layers, sizeof *g->cache.layers) &&
           arena_reserve(&g->arena, n_rows, sizeof *g->rows) &&
           arena_reserve(&g->arena, n_rows, sizeof *g->active) &&
           arena_reserve(&g->arena, n_rows, sizeof *g->next) &&
           arena_reserve(&g->arena, n_rows * config->dim, sizeof *g->normed);
    if (!fits) return error_set_memory(error, "the key-value cache");
    mneme_status status = arena_open(&g->arena, "the key-value cache", error);
    if (status != MNEME_OK) return status;
    g->cache.n_rows = n_rows;
    g->cache.layers = arena_take(&g->arena, config->n_layers, sizeof *g->cache.layers);
    for (size_t l = 0; l < config->n_layers; l++) {
        g->cache.layers[l].stride = stride;
        g->cache.layers[l].keys = arena_take(&g->arena, floats, sizeof(float));
        g->cache.layers[l].values = arena_take(&g->arena, floats, sizeof(float));
    }
    g->rows = arena_take(&g->arena, n_rows, sizeof *g->rows);
    g->active = arena_take(&g->arena, n_rows, sizeof *g->active);
    g->next = arena_take(&g->arena, n_rows, sizeof *g->next);
    g->normed = arena_take(&g->arena, n_rows * config->dim, sizeof *g->normed);
    return MNEME_OK;
}

mneme_status generator_open(struct generator *generator, const struct model *model, size_t n_rows,
                            size_t max_positions, mneme_error *error) {
    size_t limit = model->config.max_seq_len;
    *generator = (struct generator){.model = model};
    generator->max_positions = max_positions < limit ? max_positions : limit;
    size_t tokens = PASS_TOKENS > n_rows ? PASS_TOKENS : n_rows;
    if (tokens < generator->max_positions) tokens = generator->max_positions;
    mneme_status status = workspace_open(&generator->workspace, model, tokens, false, error);
    if (status == MNEME_OK) {
        status = workspace_pack(&generator->workspace, model, model->config.n_layers, error);
    }
    if (status == MNEME_OK) status = batch_builder_open(&generator->builder, tokens, error);
    if (status == MNEME_OK) status = open_cache(generator, n_rows, error);
    if (status != MNEME_OK) generator_close(generator);
    return status;
}

void generator_close(struct generator *generator) {
    workspace_close(&generator->workspace);
    batch_builder_close(&generator->builder);
    arena_close(&generator->arena);
    *generator = (struct generator){0};
}

/* Runs the sequences in the builder and chooses the next token of each: next[i] for the i-th. */
static mneme_status pass(struct generator *g, mneme_error *error) {
    struct batch batch = batch_builder_whole(&g->builder);
    struct continuation continuation = {
        .cache = &g->cache, .pasts = g->builder.pasts, .rows = g->rows};
    mneme_status status = model_forward(g->model, &g->workspace, &batch, &continuation, error);
    if (status != MNEME_OK) return status;
    size_t dim = g->model->config.dim, vocab_size = g->model->config.vocab_size;
    for (size_t i = 0; i < batch.n_sequences; i++) {
        memcpy(g->normed + i * dim, g->workspace.output_normed + (batch.starts[i + 1] - 1) * dim,
               dim * sizeof(float));
    }
    model_logits(g->model, &g->workspace, batch.n_sequences, g->normed, g->workspace.logits);
    PROFILE(choose_token, batch.n_sequences, vocab_size);
    for (size_t i = 0; i < batch.n_sequences; i++) {
        float best;
        const float *logits = g->workspace.logits + i * vocab_size;
        if (!simd()->topk_row(vocab_size, logits, 1, &best, &g->next[i])) {
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
        mneme_status status = pass(g, error);
        if (status != MNEME_OK) return status;
        *n_active = take_tokens(g, group, n, active, *n_active);
    }
    return MNEME_OK;
}

static mneme_status continue_group(struct generator *g, const struct group *group, size_t *active,
                                   mneme_error *error) {
    size_t n_active;
    mneme_status status = read_prompts(g, group, active, &n_active, error);
    while (status == MNEME_OK && n_active > 0) {
        batch_builder_clear(&g->builder);
        for (size_t i = 0; i < n_active; i++) {
            size_t row = active[i], length = group->lengths[row];
            batch_builder_add(&g->builder, 1, &group->outputs[row * group->max_new + length - 1],
                              NULL, group->prompts[row].n + length - 1);
            g->rows[i] = row;
        }
        status = pass(g, error);
        if (status == MNEME_OK) n_active = take_tokens(g, group, n_active, active, 0);
    }
    return status;
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
    mneme_status status = MNEME_OK;
    for (size_t first = 0; status == MNEME_OK && first < n; first += generator->cache.n_rows) {
        size_t rows = generator->cache.n_rows;
        struct group group = {.n = n - first < rows ? n - first : rows,
                              .prompts = prompts + first,
                              .max_new = max_new,
                              .stop_token = stop_token,
                              .outputs = outputs + first * max_new,
                              .lengths = lengths + first};
        status = continue_group(generator, &group, generator->active, error);
    }
    return status;
}
