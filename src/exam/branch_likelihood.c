#include "exam/branch_likelihood.h"

#include <string.h>

#include "eval/cached_reader.h"

/* Stems side by side, at most. */
#define MAX_ROWS 32

/* Spans that begin alike: a stem and its branches. */
struct family {
    size_t first, n; /* spans */
};

struct branch_reader {
    struct cached_reader base;
    const struct scored_span *spans;
    double *nll;
    size_t n_families; /* of the group under way */
    struct family families[MAX_ROWS];
    size_t rows[MAX_ROWS]; /* the family of each sequence of a pass */
};

static size_t stem_length(const struct scored_span *span) {
    return span->n - span->n_scored;
}

static bool share_stem(const struct scored_span *a, const struct scored_span *b) {
    size_t n = stem_length(a);
    return n == stem_length(b) && memcmp(a->tokens, b->tokens, n * sizeof *a->tokens) == 0;
}

/* Takes the next families whose stems fit a pass; returns the first span after them. */
static size_t gather(struct branch_reader *reader, size_t first, size_t n) {
    const struct scored_span *spans = reader->spans;
    batch_builder_clear(&reader->base.builder);
    reader->n_families = 0;
    while (first < n && reader->n_families < reader->base.n_rows) {
        size_t end = first + 1;
        if (!batch_builder_add(&reader->base.builder, stem_length(&spans[first]),
                               spans[first].tokens, NULL, 0)) {
            break;
        }
        while (end < n && share_stem(&spans[first], &spans[end])) end++;
        reader->rows[reader->n_families] = reader->n_families;
        reader->families[reader->n_families++] = (struct family){first, end - first};
        first = end;
    }
    return first;
}

/* Reads the stems, whose last rows predict the first token of each branch. */
static mneme_status read_stems(struct branch_reader *reader, mneme_error *error) {
    struct batch batch;
    size_t dim = reader->base.pass.model->config.dim;
    TRY(cached_reader_run(&reader->base, reader->rows, &batch, error));
    for (size_t f = 0; f < reader->n_families; f++) {
        const float *normed = cached_reader_normed(&reader->base, &batch, f + 1) - dim;
        for (size_t k = 0; k < reader->families[f].n; k++) {
            size_t i = reader->families[f].first + k;
            const struct scored_span *span = &reader->spans[i];
            TRY(row_scores_add(&reader->base.scores, &reader->base.pass, normed,
                               span->tokens[stem_length(span)], &reader->nll[i], NULL, error));
        }
    }
    return row_scores_flush(&reader->base.scores, &reader->base.pass, error);
}

/* Puts as many families' branch k as fit into the builder, from family *f on. */
static size_t gather_branches(struct branch_reader *reader, size_t k, size_t *f) {
    size_t n = 0;
    batch_builder_clear(&reader->base.builder);
    for (; *f < reader->n_families; ++*f) {
        const struct family *family = &reader->families[*f];
        if (k >= family->n) continue;
        const struct scored_span *span = &reader->spans[family->first + k];
        if (span->n_scored < 2) continue;
        size_t stem = stem_length(span);
        if (!batch_builder_add(&reader->base.builder, span->n_scored - 1, span->tokens + stem, NULL,
                               stem)) {
            break;
        }
        reader->rows[n++] = *f;
    }
    return n;
}

/* Reads branch k of each family, over what branch k - 1 left behind the stems. */
static mneme_status read_branches(struct branch_reader *reader, size_t k, mneme_error *error) {
    size_t dim = reader->base.pass.model->config.dim;
    for (size_t f = 0;;) {
        struct batch batch;
        size_t n = gather_branches(reader, k, &f);
        if (n == 0) return MNEME_OK;
        TRY(cached_reader_run(&reader->base, reader->rows, &batch, error));
        for (size_t s = 0; s < n; s++) {
            size_t i = reader->families[reader->rows[s]].first + k;
            const struct scored_span *span = &reader->spans[i];
            const int32_t *targets = span->tokens + stem_length(span) + 1;
            const float *normed = cached_reader_normed(&reader->base, &batch, s);
            for (size_t t = 0; t < span->n_scored - 1; t++) {
                TRY(row_scores_add(&reader->base.scores, &reader->base.pass, normed + t * dim,
                                   targets[t], &reader->nll[i], NULL, error));
            }
        }
        TRY(row_scores_flush(&reader->base.scores, &reader->base.pass, error));
    }
}

static mneme_status read_group(struct branch_reader *reader, mneme_error *error) {
    size_t most = 0;
    for (size_t f = 0; f < reader->n_families; f++) {
        if (reader->families[f].n > most) most = reader->families[f].n;
    }
    TRY(read_stems(reader, error));
    for (size_t k = 0; k < most; k++) TRY(read_branches(reader, k, error));
    return MNEME_OK;
}

mneme_status branch_likelihoods(const struct model *model, size_t n,
                                const struct scored_span *spans, double *nll,
                                void (*progress)(size_t done, void *context), void *context,
                                mneme_error *error) {
    struct branch_reader reader = {.spans = spans, .nll = nll};
    mneme_status status = cached_reader_open(&reader.base, model, n, spans, MAX_ROWS, error);
    for (size_t i = 0; i < n; i++) nll[i] = 0.0;
    for (size_t first = 0; status == MNEME_OK && first < n;) {
        first = gather(&reader, first, n);
        status = read_group(&reader, error);
        if (status == MNEME_OK && progress != NULL) progress(first, context);
    }
    cached_reader_close(&reader.base);
    return status;
}
