#ifndef TOKENIZER_TOKEN_TEXTS_H
#define TOKENIZER_TOKEN_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/tokenizer.h"

/* Texts as training sequences. A text is framed by the tokens that start and end texts; its inputs
 * are all tokens but the last and its targets all but the first. A text with more than
 * max_inputs inputs becomes several sequences, cut without overlap. */
struct token_texts {
    size_t n;        /* sequences */
    size_t *starts;  /* [n] first input, an index into tokens.ids; the targets start one after */
    size_t *lengths; /* [n] inputs */
    size_t capacity;
    struct token_list tokens;
};

/* Appends n texts to *texts, which starts all zero. They are data: what looks like a special token
 * in them stays text. */
mneme_status token_texts_add(struct token_texts *texts, struct tokenizer *tokenizer, size_t n,
                             char *const *strings, size_t max_inputs, mneme_error *error);
void token_texts_free(struct token_texts *texts);

/* Appends, as a sequence, the token that starts texts and the prompt, in which special tokens
 * count.
 */
mneme_status token_texts_add_prompt(struct token_texts *texts, struct tokenizer *tokenizer,
                                    const char *prompt, mneme_error *error);
/* The same for a question of data, in which they do not. */
mneme_status token_texts_add_question(struct token_texts *texts, struct tokenizer *tokenizer,
                                      const char *question, mneme_error *error);

/* The longest sequence's inputs, 0 for none. */
size_t token_texts_longest(const struct token_texts *texts);

#endif
