#ifndef SPLITTER_ADDED_TOKENS_H
#define SPLITTER_ADDED_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Texts that are one token wherever they stand. All zero is an empty set. */
struct added_token {
    char *text; /* not empty */
    size_t length;
    int32_t id;          /* at least 0 */
    bool lstrip, rstrip; /* it takes the white space before and after it */
    bool single_word;    /* it counts only between characters that are no part of words */
    bool is_special;
};

struct added_tokens {
    struct added_token *tokens; /* [n] by text, byte by byte */
    size_t n;
    size_t capacity;
    size_t firsts[257]; /* the tokens whose first byte is b are firsts[b] to firsts[b + 1] */
};

/* Adds a token; the text, which is copied, must not be one that is there. */
mneme_status added_tokens_add(struct added_tokens *set, const struct added_token *token,
                              mneme_error *error);
/* Call after the last was added. */
void added_tokens_sort(struct added_tokens *set);
void added_tokens_free(struct added_tokens *set);

/* A search through a text, as the Python package `tokenizers` does it. Set the first four; the rest
 * begins as 0. */
struct added_search {
    const struct added_tokens *set;
    const char *text;
    size_t length;
    bool passes_special; /* special tokens are found, and left as text */
    size_t at;           /* where the next search begins */
    size_t done;         /* where the last token ended, with the white space that it takes */
};

/* Where a token stands, with the white space that it takes. */
struct added_match {
    size_t start, end;
    int32_t id;
};

/* The next token: the leftmost, and the longest that begins there. One that does not count hides
 * those that overlap it. False when there is none. What lies between the last match and the next
 * is text; a match may begin before the last one's end when that took white space. */
bool added_tokens_next(struct added_search *search, struct added_match *match);

#endif
