#ifndef TOKENIZER_SPECIAL_TOKENS_H
#define TOKENIZER_SPECIAL_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Texts that are one token wherever they stand. All zero is an empty set. */
struct special_token {
    char *text; /* not empty */
    size_t length;
    int32_t id; /* at least 0 */
};

struct special_tokens {
    struct special_token *tokens; /* [n] by text, byte by byte */
    size_t n;
    size_t capacity;
};

/* Adds a text, which is copied; the same text must not come twice. */
mneme_status special_tokens_add(struct special_tokens *set, const char *text, int32_t id,
                                mneme_error *error);
/* Call after the last was added. */
void special_tokens_sort(struct special_tokens *set);
void special_tokens_free(struct special_tokens *set);

/* The leftmost of the texts in text[0..length), and the longest that begins there; NULL when there
 * is none. *start is where it begins. */
const struct special_token *special_tokens_next(const struct special_tokens *set, const char *text,
                                                size_t length, size_t *start);

#endif
