#include "eval/span_likelihood.h"

/* Tokens that a pass has room for at least. */
#define PASS_TOKENS 1024

mneme_status span_reader_open(struct span_reader *reader, const struct model *model, size_t longest,
                              mneme_error *error) {
    size_t tokens = longest > PASS_TOKENS ? longest : PASS_TOKENS;
    *reader = (struct span_reader){0};
    mneme_status status = pass_open_scoring(&reader->pass, model, tokens, error);
    THEN(pass_pack(&reader->pass, model->config.n_layers, error));
    THEN(batch_builder_open(&reader->builder, tokens, error));
    THEN(row_scores_open(&reader->scores, model, error));
    if (status != MNEME_OK) span_reader_close(reader);
    return status;
}

void span_reader_close(struct span_reader *reader) {
    pass_close(&reader->pass);
    batch_builder_close(&reader->builder);
    row_scores_close(&reader->scores);
    *reader = (struct span_reader){0};
}

/* Scores the spans [first, end), which the builder holds. */
static mneme_status score_pass(struct span_reader *reader, size_t first, size_t end,
                               const struct scored_span *spans, double *nll, bool *greedy,
                               mneme_error *error) {
    struct batch batch = batch_builder_whole(&reader->builder);
    size_t dim = reader->pass.model->config.dim;
    TRY(model_forward(&reader->pass, &batch, NULL, error));
    for (size_t i = first; i < end; i++) {
        const float *normed =
            reader->pass.activations.output_normed + batch.starts[i - first] * dim;
        for (size_t t = spans[i].n - spans[i].n_scored; t < spans[i].n; t++) {
            TRY(row_scores_add(&reader->scores, &reader->pass, normed + (t - 1) * dim,
                               spans[i].tokens[t], &nll[i], greedy == NULL ? NULL : &greedy[i],
                               error));
        }
    }
    return row_scores_flush(&reader->scores, &reader->pass, error);
}

mneme_status span_likelihoods(struct span_reader *reader, size_t n, const struct scored_span *spans,
                              double *nll, bool *greedy,
                              void (*progress)(size_t done, void *context), void *context,
                              mneme_error *error) {
    for (size_t i = 0; i < n; i++) nll[i] = 0.0;
    for (size_t i = 0; i < n && greedy != NULL; i++) greedy[i] = true;
    for (size_t first = 0, end = 0; first < n; first = end) {
        batch_builder_clear(&reader->builder);
        while (end < n &&
               batch_builder_add(&reader->builder, spans[end].n - 1, spans[end].tokens, NULL, 0)) {
            end++;
        }
        if (end == first) {
            return error_set(error, MNEME_FAILED, "span %zu: %zu tokens do not fit a pass",
                             first + 1, spans[first].n);
        }
        TRY(score_pass(reader, first, end, spans, nll, greedy, error));
        if (progress != NULL) progress(end, context);
    }
    return MNEME_OK;
}
