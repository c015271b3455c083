#include "eval/span_likelihood.h"

#include <stdlib.h>
#include <string.h>

#include "nn/cross_entropy.h"
#include "simd/simd.h"

/* Tokens that a pass has room for at least, and rows of logits made at a time. */
#define PASS_TOKENS 1024
#define BLOCK 128

static mneme_status open_blocks(struct span_reader *reader, const struct model *model,
                                mneme_error *error) {
    size_t dim = model->config.dim, vocab = model->config.vocab_size;
    struct arena_piece pieces[] = {
        {&reader->normed, BLOCK * dim, sizeof *reader->normed},
        {&reader->logits, BLOCK * vocab, sizeof *reader->logits},
        {&reader->losses, BLOCK, sizeof *reader->losses},
        {&reader->targets, BLOCK, sizeof *reader->targets},
    };
    reader->block = BLOCK;
    return arena_layout(&reader->arena, sizeof pieces / sizeof *pieces, pieces, "logits", error);
}

mneme_status span_reader_open(struct span_reader *reader, const struct model *model, size_t longest,
                              mneme_error *error) {
    size_t tokens = longest > PASS_TOKENS ? longest : PASS_TOKENS;
    *reader = (struct span_reader){0};
    mneme_status status = pass_open_scoring(&reader->pass, model, tokens, error);
    THEN(pass_pack(&reader->pass, model->config.n_layers, error));
    THEN(batch_builder_open(&reader->builder, tokens, error));
    THEN(open_blocks(reader, model, error));
    if (status != MNEME_OK) span_reader_close(reader);
    return status;
}

void span_reader_close(struct span_reader *reader) {
    pass_close(&reader->pass);
    batch_builder_close(&reader->builder);
    arena_close(&reader->arena);
    *reader = (struct span_reader){0};
}

/* Which scored token comes next: of span `span`, `index` of its n_scored. */
struct place {
    size_t span, index;
};

/* Gathers up to a block of rows that predict scored tokens, from `next` on, of the spans [., end)
 * of a pass; places[i] says whose row i is. */
static size_t gather(struct span_reader *reader, const struct batch *batch, size_t first,
                     size_t end, const struct scored_span *spans, struct place *next,
                     struct place *places) {
    size_t dim = reader->pass.model->config.dim, n = 0;
    while (next->span < end && n < reader->block) {
        const struct scored_span *span = &spans[next->span];
        size_t token = span->n - span->n_scored + next->index;
        size_t row = batch->starts[next->span - first] + token - 1;
        memcpy(reader->normed + n * dim, reader->pass.activations.output_normed + row * dim,
               dim * sizeof(float));
        reader->targets[n] = span->tokens[token];
        places[n++] = *next;
        if (++next->index == span->n_scored) *next = (struct place){next->span + 1, 0};
    }
    return n;
}

/* Whether each row's target is its likeliest token; before cross_entropy, which keeps the logits
 * when its scale is 0. */
static mneme_status check_greedy(struct span_reader *reader, size_t n, const struct place *places,
                                 bool *greedy, mneme_error *error) {
    size_t vocab = reader->pass.model->config.vocab_size;
    for (size_t i = 0; i < n; i++) {
        float best;
        int32_t token;
        if (!simd()->topk_row(vocab, reader->logits + i * vocab, 1, &best, &token)) {
            return error_set(error, MNEME_FAILED, "a logit is NaN");
        }
        if (token != reader->targets[i]) greedy[places[i].span] = false;
    }
    return MNEME_OK;
}

/* Scores the spans [first, end), which the builder holds. */
static mneme_status score_pass(struct span_reader *reader, size_t first, size_t end,
                               const struct scored_span *spans, double *nll, bool *greedy,
                               mneme_error *error) {
    struct batch batch = batch_builder_whole(&reader->builder);
    struct place next = {first, 0}, places[BLOCK];
    TRY(model_forward(&reader->pass, &batch, NULL, error));
    for (;;) {
        size_t n = gather(reader, &batch, first, end, spans, &next, places);
        if (n == 0) return MNEME_OK;
        model_logits(&reader->pass, n, reader->normed, reader->logits);
        if (greedy != NULL) TRY(check_greedy(reader, n, places, greedy, error));
        cross_entropy(n, reader->pass.model->config.vocab_size, reader->logits, reader->targets,
                      0.0f, reader->losses);
        for (size_t i = 0; i < n; i++) nll[places[i].span] += (double)reader->losses[i];
    }
}

mneme_status span_likelihoods(struct span_reader *reader, size_t n, const struct scored_span *spans,
                              double *nll, bool *greedy,
                              void (*progress)(size_t done, void *context), void *context,
                              mneme_error *error) {
    for (size_t i = 0; i < n; i++) nll[i] = 0.0;
    for (size_t i = 0; i < n && greedy != NULL; i++) greedy[i] = true;
    for (size_t first = 0, end = 0; first < n; first = end) {
        batch_builder_clear(&reader->builder);
        while (end < n &&
               batch_builder_add(&reader->builder, spans[end].n - 1, spans[end].tokens, NULL, 0)) {
            end++;
        }
        if (end == first) {
            return error_set(error, MNEME_FAILED, "span %zu: %zu tokens do not fit a pass",
                             first + 1, spans[first].n);
        }
        TRY(score_pass(reader, first, end, spans, nll, greedy, error));
        if (progress != NULL) progress(end, context);
    }
    return MNEME_OK;
}
