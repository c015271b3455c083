#ifndef EVAL_ANSWERER_H
#define EVAL_ANSWERER_H

#include "generate/generate.h"
#include "tokenizer/token_texts.h"

/* What a model says to questions: greedy continuations of their prompts, many side by side. */

struct answerer_settings {
    struct tokenizer *tokenizer;
    struct token_span stops; /* tokens that end an answer; borrowed */
    size_t max_new;          /* tokens of one */
    size_t longest;          /* prompt, in tokens */
    size_t n_rows;           /* prompts side by side, at most */
};

struct answerer {
    struct answerer_settings settings;
    struct generator generator;
    int32_t *outputs;           /* [n_rows, max_new] */
    size_t *lengths;            /* [n_rows] */
    struct token_span *prompts; /* [n_rows] */
};

mneme_status answerer_open(struct answerer *answerer, const struct model *model,
                           const struct answerer_settings *settings, mneme_error *error);
/* Does nothing to {0}. */
void answerer_close(struct answerer *answerer);

/* Takes what was said to prompt i. */
typedef mneme_status answer_taker(void *user, size_t i, const char *said, size_t length,
                                  mneme_error *error);

/* Asks the prompts [first, first + n), at most n_rows of them, and hands on each answer in order.
 * MNEME_FAILED where a logit is not finite. */
mneme_status answerer_ask(struct answerer *answerer, const struct token_texts *prompts,
                          size_t first, size_t n, answer_taker *take, void *user,
                          mneme_error *error);

#endif
