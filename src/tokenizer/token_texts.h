#ifndef TOKENIZER_TOKEN_TEXTS_H
#define TOKENIZER_TOKEN_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/chat_style.h"
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

/* Appends n >= 2 ids as one sequence, as they are. */
mneme_status token_texts_add_ids(struct token_texts *texts, const int32_t *ids, size_t n,
                                 mneme_error *error);

/* How a model writes texts that teach it, and what they may have. */
struct text_manner {
    const int32_t *before; /* [n_before] tokens before a text */
    size_t n_before;
    int32_t end;                    /* the token after a text that is no chat; TOKEN_NONE: none */
    const struct chat_style *style; /* of chats; NULL: texts that are chats are left out */
    size_t max_inputs;              /* of a longer text the rest is left out */
};

/* What was not taken as it was. */
struct texts_lost {
    size_t n_cut;   /* texts that were longer than a manner's max_inputs */
    size_t n_chats; /* texts that are chats, for which there was no style */
};

/* Appends n texts of data as a model writes them, chats (text/form.h) among them: each is one
 * sequence. Adds to *lost. */
mneme_status token_texts_add_in(struct token_texts *texts, struct tokenizer *tokenizer,
                                const struct text_manner *manner, size_t n, char *const *strings,
                                struct texts_lost *lost, mneme_error *error);

/* The same of prompts, which go on: the last turn of a chat stays open, all tokens are inputs, and
 * nothing is cut. A chat needs the manner's style. */
mneme_status token_texts_add_asked(struct token_texts *texts, struct tokenizer *tokenizer,
                                   const struct text_manner *manner, const char *prompt,
                                   mneme_error *error);

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
