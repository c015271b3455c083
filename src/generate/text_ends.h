#ifndef GENERATE_TEXT_ENDS_H
#define GENERATE_TEXT_ENDS_H

#include <stdbool.h>

#include "generate/generate.h"
#include "tokenizer/tokenizer.h"

#define TEXT_ENDS_MAX 64
/* What transformers takes for a Llama whose config.json says nothing. */
#define TEXT_ENDS_LLAMA_START 1
#define TEXT_ENDS_LLAMA_STOP 2

/* The tokens at which a text starts and ends, as a folder's config.json and generation_config.json
 * have them (bos_token_id and eos_token_id: a number, a list, null). */
struct text_ends {
    bool are_given; /* the folder says; otherwise its tokenizer decides */
    int32_t start;  /* TOKEN_NONE: no token */
    int32_t stops[TEXT_ENDS_MAX];
    size_t n_stops;
};

/* As transformers does: a generation_config.json decides alone, even where it has no such key; what
 * is missing in a config.json of a Llama is what transformers takes then, 1 and 2. In a config of
 * mneme's own it is not given. */
mneme_status text_ends_read(const char *folder, struct text_ends *ends, mneme_error *error);

/* Those of a tokenizer, for a model that mneme trained with it. */
void text_ends_of_tokenizer(const struct tokenizer *tokenizer, struct text_ends *ends);

struct token_span text_ends_stops(const struct text_ends *ends);

/* Appends a prompt's ids, with what stands before and after it: by the tokenizer's post_processor
 * where the ends are given, unless the prompt has it already; an empty prompt is the start alone.
 */
mneme_status text_ends_encode(const struct text_ends *ends, struct tokenizer *tokenizer,
                              const char *prompt, struct token_list *ids, mneme_error *error);

#endif
