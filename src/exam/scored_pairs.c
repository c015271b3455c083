#include "exam/scored_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static mneme_status add_pair(struct scored_pairs *pairs, size_t n, const int32_t *tokens,
                             size_t n_scored, mneme_error *error) {
    TRY(memory_grow((void **)&pairs->pairs, &pairs->capacity, pairs->n + 1, sizeof *pairs->pairs,
                    "pairs of texts", error));
    pairs->pairs[pairs->n++] = (struct scored_pair){pairs->tokens.n, n, n_scored};
    return token_list_append(&pairs->tokens, tokens, n, error);
}

/* The ids of a context and of it with its continuation. */
struct encoded_pair {
    struct token_list context, whole;
};

static mneme_status encode(const struct subject *subject, const char *context,
                           const char *continuation, struct encoded_pair *pair,
                           mneme_error *error) {
    struct text both = {0};
    if (context[0] == '\0') {
        TRY(token_list_append(&pair->context, &subject->prefix, 1, error));
        TRY(token_list_append(&pair->whole, &subject->prefix, 1, error));
        return subject_encode(subject, continuation, &pair->whole, error);
    }
    text_add(&both, "%s%s", context, continuation);
    char *text = text_take(&both);
    if (text == NULL) return error_set_memory(error, "a text");
    const struct token_list *before = &subject->before;
    mneme_status status = token_list_append(&pair->context, before->ids, before->n, error);
    THEN(token_list_append(&pair->whole, before->ids, before->n, error));
    THEN(subject_encode(subject, context, &pair->context, error));
    THEN(subject_encode(subject, text, &pair->whole, error));
    free(text);
    return status;
}

/* Puts the context's own ids before the continuation's, and keeps what the model takes of them. */
static mneme_status add_encoded(struct scored_pairs *pairs, const struct subject *subject,
                                struct encoded_pair *pair, const char *place, mneme_error *error) {
    size_t most = subject->model->config.max_seq_len; /* inputs: the last is none */
    size_t n = pair->whole.n, n_context = pair->context.n;
    if (n_context == 0 || n <= n_context) {
        return error_set(error, MNEME_BAD_INPUT, "%s: adds no token to what stands before", place);
    }
    if (n - n_context > most) {
        return error_set(error, MNEME_BAD_INPUT, "%s: has %zu tokens, the model takes %zu", place,
                         n - n_context, most);
    }
    memcpy(pair->whole.ids, pair->context.ids, n_context * sizeof *pair->context.ids);
    size_t kept = n > most + 1 ? most + 1 : n;
    pairs->n_shortened += kept < n;
    return add_pair(pairs, kept, pair->whole.ids + (n - kept), n - n_context, error);
}

mneme_status scored_pairs_add(struct scored_pairs *pairs, const struct subject *subject,
                              const char *context, const char *continuation, const char *place,
                              mneme_error *error) {
    struct encoded_pair pair = {0};
    if (context[0] == '\0' && subject->prefix == TOKEN_NONE) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: nothing stands before it, and the model has no token that does",
                         place);
    }
    mneme_status status = encode(subject, context, continuation, &pair, error);
    THEN(add_encoded(pairs, subject, &pair, place, error));
    token_list_free(&pair.context);
    token_list_free(&pair.whole);
    return status;
}

void scored_pairs_spans(const struct scored_pairs *pairs, struct scored_span *spans,
                        size_t *longest) {
    *longest = 0;
    for (size_t i = 0; i < pairs->n; i++) {
        const struct scored_pair *pair = &pairs->pairs[i];
        spans[i] = (struct scored_span){pairs->tokens.ids + pair->start, pair->n, pair->n_scored};
        if (pair->n > *longest) *longest = pair->n;
    }
}

void scored_pairs_free(struct scored_pairs *pairs) {
    free(pairs->pairs);
    token_list_free(&pairs->tokens);
    *pairs = (struct scored_pairs){0};
}
