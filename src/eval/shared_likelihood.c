#include "eval/shared_likelihood.h"

#include "eval/cached_reader.h"
#include "generate/shared_prefix.h"

/* Spans side by side, at most. */
#define MAX_ROWS 64

struct shared_reader {
    struct cached_reader base;
    const struct scored_span *spans; /* of the group under way */
    double *nll;
    size_t rows[MAX_ROWS];  /* of each sequence of a pass */
    size_t pasts[MAX_ROWS]; /* tokens of each row that the cache holds */
};

/* Reads what rows of the group have in common; the first token that counts is predicted later. */
static mneme_status read_shared(struct shared_reader *reader, size_t n, mneme_error *error) {
    struct token_span beginnings[MAX_ROWS];
    struct batch batch;
    size_t n_alike, length;
    for (size_t i = 0; i < n; i++) {
        const struct scored_span *span = &reader->spans[i];
        beginnings[i] = (struct token_span){span->tokens, span->n - span->n_scored};
        reader->pasts[i] = 0;
    }
    for (size_t row = 0; row < n; row += n_alike) {
        n_alike = shared_prefix_find(n - row, beginnings + row, &length);
        if (length == 0) continue;
        batch_builder_clear(&reader->base.builder);
        batch_builder_add(&reader->base.builder, length, beginnings[row].tokens, NULL, 0);
        reader->rows[0] = row;
        TRY(cached_reader_run(&reader->base, reader->rows, &batch, error));
        for (size_t i = 0; i < n_alike; i++) reader->pasts[row + i] = length;
        for (size_t i = 1; i < n_alike; i++) {
            shared_prefix_copy(&reader->base.cache, row, row + i, length);
        }
    }
    return MNEME_OK;
}

/* Scores row i of the group, whose rest stands in the pass from `normed` on. */
static mneme_status score_row(struct shared_reader *reader, size_t i, const float *normed,
                              mneme_error *error) {
    const struct scored_span *span = &reader->spans[i];
    size_t dim = reader->base.pass.model->config.dim;
    for (size_t t = span->n - span->n_scored; t < span->n; t++) {
        TRY(row_scores_add(&reader->base.scores, &reader->base.pass,
                           normed + (t - 1 - reader->pasts[i]) * dim, span->tokens[t],
                           &reader->nll[i], NULL, error));
    }
    return MNEME_OK;
}

/* Reads the rest of as many rows as fit a pass, from row *row on. */
static mneme_status read_rests(struct shared_reader *reader, size_t n, size_t *row,
                               mneme_error *error) {
    size_t first = *row;
    struct batch batch;
    batch_builder_clear(&reader->base.builder);
    for (; *row < n; ++*row) {
        const struct scored_span *span = &reader->spans[*row];
        size_t past = reader->pasts[*row];
        if (!batch_builder_add(&reader->base.builder, span->n - 1 - past, span->tokens + past, NULL,
                               past)) {
            break;
        }
        reader->rows[*row - first] = *row;
    }
    TRY(cached_reader_run(&reader->base, reader->rows, &batch, error));
    for (size_t i = first; i < *row; i++) {
        TRY(score_row(reader, i, cached_reader_normed(&reader->base, &batch, i - first), error));
    }
    return row_scores_flush(&reader->base.scores, &reader->base.pass, error);
}

mneme_status shared_likelihoods(const struct model *model, size_t n,
                                const struct scored_span *spans, double *nll,
                                void (*progress)(size_t done, void *context), void *context,
                                mneme_error *error) {
    struct shared_reader reader = {0};
    mneme_status status = cached_reader_open(&reader.base, model, n, spans, MAX_ROWS, error);
    for (size_t i = 0; i < n; i++) nll[i] = 0.0;
    for (size_t first = 0; status == MNEME_OK && first < n; first += reader.base.n_rows) {
        size_t rows = n - first < reader.base.n_rows ? n - first : reader.base.n_rows;
        reader.spans = spans + first;
        reader.nll = nll + first;
        status = read_shared(&reader, rows, error);
        for (size_t row = 0; row < rows;) {
            THEN(read_rests(&reader, rows, &row, error));
            if (status != MNEME_OK) break;
        }
        if (status == MNEME_OK && progress != NULL) progress(first + rows, context);
    }
    cached_reader_close(&reader.base);
    return status;
}
