#ifndef TOKENIZER_TOKEN_LIST_H
#define TOKENIZER_TOKEN_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Token ids that grow as they are appended to; all zero is an empty list. The owner frees ids. */
struct token_list {
    int32_t *ids; /* [n] */
    size_t n;
    size_t capacity;
};

/* Ids of tokenizers are below. */
#define TOKENIZER_MAX_TOKENS ((size_t)1 << 20)

/* The id of no token. */
#define TOKEN_NONE (-1)

/* The tokens around a text. */
struct token_frame {
    struct token_list before, after;
};

void token_frame_free(struct token_frame *frame);

mneme_status token_list_append(struct token_list *list, const int32_t *ids, size_t n_ids,
                               mneme_error *error);
void token_list_free(struct token_list *list);

#endif
