#ifndef EVAL_ANSWER_LIKELIHOOD_H
#define EVAL_ANSWER_LIKELIHOOD_H

#include "model/model.h"
#include "tokenizer/token_texts.h"

/* nll[i] = the mean of -log p, in nats, over the tokens of the answer in answered[i], a prompt with
 * its answer, for the first n; what prompts[i] has fewer tokens are the answer's, at least one. A
 * model reads no more than its max_seq_len: an answer that goes beyond counts up to there.
 * `progress`, unless it is NULL, is called with the number of answers done. MNEME_FAILED for a
 * number that is not finite. */
mneme_status answer_likelihoods(const struct model *model, size_t n,
                                const struct token_texts *prompts,
                                const struct token_texts *answered, double *nll,
                                void (*progress)(size_t done, void *context), void *context,
                                mneme_error *error);

#endif
