#ifndef EVAL_SPAN_LIKELIHOOD_H
#define EVAL_SPAN_LIKELIHOOD_H

#include <stddef.h>
#include <stdint.h>

#include "eval/row_scores.h"
#include "model/batch_builder.h"
#include "model/pass.h"

/* Likelihoods of the ends of token sequences: of an answer after its question, of an ending after
 * its beginning, of a window's tokens after those that it only reads. */

/* tokens[n_scored] are predicted after tokens[n - n_scored]: of n tokens the last n_scored count.
 * 1 <= n_scored < n. */
struct scored_span {
    const int32_t *tokens;
    size_t n;
    size_t n_scored;
};

/* Passes over spans, with what they need, allocated once. */
struct span_reader {
    struct pass pass;
    struct batch_builder builder;
    struct row_scores scores;
};

/* For spans of at most `longest` tokens. The model's linear layers stay as they are while it is
 * open. */
mneme_status span_reader_open(struct span_reader *reader, const struct model *model, size_t longest,
                              mneme_error *error);
/* Does nothing to {0}. */
void span_reader_close(struct span_reader *reader);

/* nll[i] = the sum of -log p of the scored tokens of span i, in nats: each an f32 by the contract,
 * added in ascending order as doubles. Many short spans share a pass; a span's numbers do not
 * depend on the others. greedy[i], unless it is NULL, says whether each of the scored tokens is the
 * likeliest at its place (the lower id of equals). `progress`, unless it is NULL, is called with
 * the number of spans done. */
mneme_status span_likelihoods(struct span_reader *reader, size_t n, const struct scored_span *spans,
                              double *nll, bool *greedy,
                              void (*progress)(size_t done, void *context), void *context,
                              mneme_error *error);

#endif
