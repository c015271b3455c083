#include "eval/answer_likelihood.h"

#include <math.h>
#include <stdlib.h>

#include "eval/shared_likelihood.h"

/* What of the prompt with its answer is scored. */
static struct scored_span span_of(const struct token_texts *prompts,
                                  const struct token_texts *answered, size_t i, size_t most) {
    size_t n = answered->lengths[i], before = prompts->lengths[i];
    if (n > most) n = most;
    return (struct scored_span){answered->tokens.ids + answered->starts[i], n,
                                n > before ? n - before : 1};
}

/* A tokenizer may have no token for any character of a short text. */
static mneme_status check_spans(size_t n, const struct scored_span *spans, mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (spans[i].n > 1) continue;
        return error_set(error, MNEME_BAD_INPUT,
                         "question %zu: with its answer it has fewer than two tokens", i + 1);
    }
    return MNEME_OK;
}

/* Sums become means. */
static mneme_status divide(size_t n, const struct scored_span *spans, double *nll,
                           mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        nll[i] /= (double)spans[i].n_scored;
        if (!isfinite(nll[i])) {
            return error_set(error, MNEME_FAILED, "the NLL of an answer is not finite");
        }
    }
    return MNEME_OK;
}

mneme_status answer_likelihoods(const struct model *model, size_t n,
                                const struct token_texts *prompts,
                                const struct token_texts *answered, double *nll,
                                void (*progress)(size_t done, void *context), void *context,
                                mneme_error *error) {
    size_t most = model->config.max_seq_len + 1;
    struct scored_span *spans = calloc(n + 1, sizeof *spans);
    if (spans == NULL) return error_set_memory(error, "answers");
    for (size_t i = 0; i < n; i++) spans[i] = span_of(prompts, answered, i, most);
    mneme_status status = check_spans(n, spans, error);
    THEN(shared_likelihoods(model, n, spans, nll, progress, context, error));
    THEN(divide(n, spans, nll, error));
    free(spans);
    return status;
}
