#include "generate/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile/profile.h"
#include "simd/simd.h"

/* Tokens of one pass over the prompts, at most; a longer prompt is read in parts. */
#define PASS_TOKENS 1024
/* Positions beyond the prompts that are made room for at first. */
#define FIRST_POSITIONS 256

static mneme_status open_rows(struct generator *g, size_t n_rows, mneme_error *error) {
    const struct arena_piece pieces[] = {
        {&g->rows, n_rows, sizeof *g->rows},
        {&g->pasts, n_rows, sizeof *g->pasts},
        {&g->active, n_rows, sizeof *g->active},
        {&g->next, n_rows, sizeof *g->next},
        {&g->normed, n_rows, g->model->config.dim * sizeof *g->normed}};
    return arena_layout(&g->arena, sizeof pieces / sizeof *pieces, pieces, "generation", error);
}

mneme_status generator_open(struct generator *generator, const struct model *model, size_t n_rows,
                            size_t max_positions, mneme_error *error) {
    size_t limit = model->config.max_seq_len;
    *generator = (struct generator){.model = model};
    generator->max_positions = max_positions < limit ? max_positions : limit;
    pass_open_cached(&generator->pass, model);
    mneme_status status = pass_pack(&generator->pass, model->config.n_layers, error);
    THEN(batch_builder_open(&generator->builder, PASS_TOKENS > n_rows ? PASS_TOKENS : n_rows,
                            error));
    THEN(kv_cache_open(&generator->cache, &model->config, n_rows, error));
    THEN(open_rows(generator, n_rows, error));
    if (status != MNEME_OK) generator_close(generator);
    return status;
}

void generator_close(struct generator *generator) {
    pass_close(&generator->pass);
    kv_cache_close(&generator->cache);
    batch_builder_close(&generator->builder);
    arena_close(&generator->arena);
    *generator = (struct generator){0};
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Room for passes of that many tokens and for sequences of that many positions, or for more. */
static mneme_status make_room(struct generator *g, size_t tokens, size_t positions,
                              mneme_error *error) {
    if (tokens <= g->pass.max_tokens && positions <= g->pass.max_positions) return MNEME_OK;
    const struct pass_size size = {.tokens = larger(tokens, g->pass.max_tokens),
                                   .positions = larger(positions, g->pass.max_positions),
                                   .logits = g->cache.n_rows};
    TRY(kv_cache_grow(&g->cache, size.positions, error));
    return pass_resize(&g->pass, &size, error);
}

/* Runs the sequences in the builder. */
static mneme_status run_pass(struct generator *g, mneme_error *error) {
    const struct batch batch = batch_builder_whole(&g->builder);
    const struct continuation continuation = {
        .cache = &g->cache, .pasts = g->builder.pasts, .rows = g->rows};
    return model_forward(&g->pass, &batch, &continuation, error);
}

/* Runs the sequences in the builder and chooses the next token of each: next[i] for the i-th. */
static mneme_status choose_tokens(struct generator *g, mneme_error *error) {
    const struct batch batch = batch_builder_whole(&g->builder);
    struct activations *a = &g->pass.activations;
    TRY(run_pass(g, error));
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
        if (!kernels->topk_row(vocab_size, a->logits + i * vocab_size, 1, &best, &g->next[i]) ||
            !isfinite(best)) {
            return error_set(error, MNEME_FAILED, "a logit is not finite while generating");
        }
    }
    return MNEME_OK;
}

/* One group of prompts, at most as many as the cache has rows. */
struct group {
    size_t n;
    const struct token_span *prompts;
    size_t max_new;
    struct token_span stops;
    int32_t *outputs; /* [n, max_new] */
    size_t *lengths;  /* [n] */
};

static bool is_stop(const struct token_span *stops, int32_t token) {
    for (size_t i = 0; i < stops->n; i++) {
        if (stops->tokens[i] == token) return true;
    }
    return false;
}

/* Takes the chosen tokens of the last pass: a sequence that goes on keeps its row in `active`. */
static size_t take_tokens(struct generator *g, const struct group *group, size_t n_sequences,
                          size_t *active, size_t n_active) {
    for (size_t i = 0; i < n_sequences; i++) {
        size_t row = g->rows[i];
        if (is_stop(&group->stops, g->next[i])) continue;
        group->outputs[row * group->max_new + group->lengths[row]++] = g->next[i];
        if (g->heard != NULL && group->n == 1) {
            g->heard(g->listener, group->outputs, group->lengths[0]);
        }
        size_t position = group->prompts[row].n + group->lengths[row];
        bool room = position < g->max_positions && group->lengths[row] < group->max_new;
        bool ends = g->last_tokens != NULL && g->last_tokens[g->next[i]];
        if (room && !ends) active[n_active++] = row;
    }
    return n_active;
}

/* Room for the group's prompts and the first tokens after them. */
static mneme_status room_for_prompts(struct generator *g, const struct group *group,
                                     mneme_error *error) {
    size_t tokens = 0, longest = 0;
    for (size_t i = 0; i < group->n; i++) {
        tokens += smaller(group->prompts[i].n, PASS_TOKENS);
        longest = larger(longest, group->prompts[i].n);
    }
    size_t most = smaller(longest + smaller(group->max_new, FIRST_POSITIONS), g->max_positions);
    return make_room(g, larger(smaller(tokens, PASS_TOKENS), g->cache.n_rows), most, error);
}

/* The positions of all rows that go on, one more each, doubling the room. */
static mneme_status room_for_tokens(struct generator *g, const struct group *group, size_t n_active,
                                    const size_t *active, mneme_error *error) {
    size_t longest = 0, room = g->pass.max_positions;
    for (size_t i = 0; i < n_active; i++) {
        longest = larger(longest, group->prompts[active[i]].n + group->lengths[active[i]]);
    }
    if (longest <= room) return MNEME_OK;
    return make_room(g, 0, smaller(2 * room, g->max_positions), error);
}

/* Reads tokens of a row's prompt from where it is up to `end`. */
static mneme_status read_part(struct generator *g, const struct token_span *prompt, size_t row,
                              size_t end, mneme_error *error) {
    g->rows[0] = row;
    while (g->pasts[row] < end) {
        size_t past = g->pasts[row], n = smaller(end - past, PASS_TOKENS);
        batch_builder_clear(&g->builder);
        batch_builder_add(&g->builder, n, prompt->tokens + past, NULL, past);
        TRY(run_pass(g, error));
        g->pasts[row] += n;
    }
    return MNEME_OK;
}

/* Reads what prompts have in common at their beginning. */
static mneme_status read_shared(struct generator *g, const struct group *group,
                                mneme_error *error) {
    size_t n, length;
    for (size_t row = 0; row < group->n; row++) g->pasts[row] = 0;
    for (size_t row = 0; row < group->n; row += n) {
        n = shared_prefix_find(group->n - row, group->prompts + row, &length);
        if (length == 0) continue;
        TRY(read_part(g, &group->prompts[row], row, length, error));
        for (size_t i = 1; i < n; i++) {
            shared_prefix_copy(&g->cache, row, row + i, length);
            g->pasts[row + i] = length;
        }
    }
    return MNEME_OK;
}

/* Reads what a long prompt has before its last pass. */
static mneme_status read_beginning(struct generator *g, const struct token_span *prompt, size_t row,
                                   mneme_error *error) {
    size_t left = prompt->n - g->pasts[row];
    if (left <= PASS_TOKENS) return MNEME_OK;
    return read_part(g, prompt, row, prompt->n - (left - 1) % PASS_TOKENS - 1, error);
}

/* Reads the prompts, as many per pass as fit; fills active with the rows that go on. */
static mneme_status read_prompts(struct generator *g, const struct group *group, size_t *active,
                                 size_t *n_active, mneme_error *error) {
    *n_active = 0;
    TRY(room_for_prompts(g, group, error));
    TRY(read_shared(g, group, error));
    for (size_t i = 0; i < group->n; i++) TRY(read_beginning(g, &group->prompts[i], i, error));
    size_t row = 0;
    while (row < group->n) {
        batch_builder_clear(&g->builder);
        size_t n = 0, room = g->pass.max_tokens;
        for (; row < group->n; row++, n++) {
            const struct token_span *prompt = &group->prompts[row];
            size_t past = g->pasts[row], length = prompt->n - past;
            if (length > room) break;
            room -= length;
            batch_builder_add(&g->builder, length, prompt->tokens + past, NULL, past);
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
        TRY(room_for_tokens(g, group, n_active, active, error));
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
                             const struct token_span *prompts, size_t max_new,
                             struct token_span stops, int32_t *outputs, size_t *lengths,
                             mneme_error *error) {
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
                              .stops = stops,
                              .outputs = outputs + first * max_new,
                              .lengths = lengths + first};
        TRY(continue_group(generator, &group, generator->active, error));
    }
    return MNEME_OK;
}
