#ifndef EVAL_ROW_SCORES_H
#define EVAL_ROW_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/pass.h"

/* Rows of a pass's output that predict tokens, gathered into blocks, so that no more logits exist
 * at a time than a block's. */
struct row_scores {
    size_t n;         /* rows that wait */
    float *normed;    /* [block, dim] */
    float *logits;    /* [block, vocab_size] */
    float *losses;    /* [block] */
    int32_t *targets; /* [block] */
    double **nll;     /* [block] */
    bool **is_greedy; /* [block] */
    struct arena arena;
};

mneme_status row_scores_open(struct row_scores *scores, const struct model *model,
                             mneme_error *error);
/* Does nothing to {0}. */
void row_scores_close(struct row_scores *scores);

/* Adds -log p of the target after a row of normed output [dim] to *nll, in nats, when the block is
 * full or flushed; of one sum in the order of the calls. *is_greedy, unless NULL, becomes false
 * where another token is likelier (or, of equals, lower). The pass is the model's. */
mneme_status row_scores_add(struct row_scores *scores, struct pass *pass, const float *normed,
                            int32_t target, double *nll, bool *is_greedy, mneme_error *error);
mneme_status row_scores_flush(struct row_scores *scores, struct pass *pass, mneme_error *error);

#endif
