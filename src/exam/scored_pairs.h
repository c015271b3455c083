#ifndef EXAM_SCORED_PAIRS_H
#define EXAM_SCORED_PAIRS_H

#include "eval/span_likelihood.h"
#include "exam/subject.h"

/* Contexts with their continuations, as tokens: an answer after its prompt, an ending after its
 * beginning. */
struct scored_pair {
    size_t start; /* in tokens.ids */
    size_t n, n_scored;
};

struct scored_pairs {
    struct token_list tokens;
    struct scored_pair *pairs; /* [n] */
    size_t n, capacity;
    size_t n_shortened; /* contexts of which only the end is there */
};

/* Adds a pair as lm-evaluation-harness encodes it (TemplateLM._encode_pair): the tokens of both
 * texts together, of which those beyond the context's own number are the continuation's; an empty
 * context is the subject's prefix. Of more tokens than the model takes the first are left out.
 * MNEME_BAD_INPUT, "PLACE: cause", where the continuation adds no token, or more than the model
 * takes. */
mneme_status scored_pairs_add(struct scored_pairs *pairs, const struct subject *subject,
                              const char *context, const char *continuation, const char *place,
                              mneme_error *error);

/* spans [n] of the pairs, for as long as none is added; *longest of them, in tokens. */
void scored_pairs_spans(const struct scored_pairs *pairs, struct scored_span *spans,
                        size_t *longest);

/* Does nothing to {0}. */
void scored_pairs_free(struct scored_pairs *pairs);

#endif
