#include "eval/row_scores.h"

#include <string.h>

#include "nn/cross_entropy.h"
#include "simd/simd.h"

/* Rows of logits made at a time. */
#define BLOCK 128

mneme_status row_scores_open(struct row_scores *scores, const struct model *model,
                             mneme_error *error) {
    size_t dim = model->config.dim, vocab = model->config.vocab_size;
    struct arena_piece pieces[] = {
        {&scores->normed, BLOCK * dim, sizeof *scores->normed},
        {&scores->logits, BLOCK * vocab, sizeof *scores->logits},
        {&scores->losses, BLOCK, sizeof *scores->losses},
        {&scores->targets, BLOCK, sizeof *scores->targets},
        {&scores->nll, BLOCK, sizeof *scores->nll},
        {&scores->is_greedy, BLOCK, sizeof *scores->is_greedy},
    };
    *scores = (struct row_scores){0};
    return arena_layout(&scores->arena, sizeof pieces / sizeof *pieces, pieces, "logits", error);
}

void row_scores_close(struct row_scores *scores) {
    arena_close(&scores->arena);
    *scores = (struct row_scores){0};
}

/* Whether each row's target is its likeliest token; before cross_entropy, which keeps the logits
 * when its scale is 0. */
static mneme_status check_greedy(struct row_scores *scores, size_t vocab, mneme_error *error) {
    for (size_t i = 0; i < scores->n; i++) {
        float best;
        int32_t token;
        if (scores->is_greedy[i] == NULL) continue;
        if (!simd()->topk_row(vocab, scores->logits + i * vocab, 1, &best, &token)) {
            return error_set(error, MNEME_FAILED, "a logit is NaN");
        }
        if (token != scores->targets[i]) *scores->is_greedy[i] = false;
    }
    return MNEME_OK;
}

mneme_status row_scores_flush(struct row_scores *scores, struct pass *pass, mneme_error *error) {
    size_t vocab = pass->model->config.vocab_size;
    if (scores->n == 0) return MNEME_OK;
    model_logits(pass, scores->n, scores->normed, scores->logits);
    TRY(check_greedy(scores, vocab, error));
    cross_entropy(scores->n, vocab, scores->logits, scores->targets, 0.0f, scores->losses);
    for (size_t i = 0; i < scores->n; i++) *scores->nll[i] += (double)scores->losses[i];
    scores->n = 0;
    return MNEME_OK;
}

mneme_status row_scores_add(struct row_scores *scores, struct pass *pass, const float *normed,
                            int32_t target, double *nll, bool *is_greedy, mneme_error *error) {
    size_t dim = pass->model->config.dim;
    memcpy(scores->normed + scores->n * dim, normed, dim * sizeof *normed);
    scores->targets[scores->n] = target;
    scores->nll[scores->n] = nll;
    scores->is_greedy[scores->n++] = is_greedy;
    return scores->n < BLOCK ? MNEME_OK : row_scores_flush(scores, pass, error);
}
