#ifndef EVAL_LIKELIHOOD_H
#define EVAL_LIKELIHOOD_H

#include "model/batch_builder.h"
#include "model/pass.h"
#include "tokenizer/token_texts.h"

/* *nll = mean negative log-likelihood per token of the texts, in nats: one chain over the texts'
 * tokens in order, divided by their number; 0 for no texts. The longest text must fit into both. */
mneme_status likelihood_nll(struct pass *pass, struct batch_builder *builder,
                            const struct token_texts *texts, float *nll, mneme_error *error);

#endif
