#ifndef METHOD_LESSONS_H
#define METHOD_LESSONS_H

#include <stddef.h>

#include "tokenizer/token_texts.h"

/* What the stream of new facts teaches, lesson by lesson: single facts, or chunks of documents. */
struct lessons {
    size_t n;
    struct token_texts texts; /* wordings of all lessons, lesson by lesson */
    size_t *first_targets; /* [texts.n] of a text, the first input whose target counts; NULL: 0 */
    size_t *first_text;    /* [n + 1] a lesson's first sequence in texts */
    size_t *first_fact;    /* [n + 1] its first new fact */
    const char *unit;      /* "facts", "chunks" */
};

/* Wordings of one lesson. */
size_t lessons_n_texts(const struct lessons *lessons, size_t lesson);

/* The first input of a sequence in texts whose target counts. */
size_t lessons_first_target(const struct lessons *lessons, size_t text);

/* The most wordings that a lesson has, and the most tokens of all wordings of one; at least 1. */
size_t lessons_most_texts(const struct lessons *lessons);
size_t lessons_most_tokens(const struct lessons *lessons);

/* The tokens of the longest wording; at least 1. */
size_t lessons_longest_text(const struct lessons *lessons);

void lessons_free(struct lessons *lessons);

#endif
