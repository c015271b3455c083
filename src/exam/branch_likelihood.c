#include "exam/branch_likelihood.h"

#include <string.h>

#include "base/memory.h"
#include "model/kv_cache.h"

/* Stems side by side and tokens of a pass over them, at most, and the bytes that their keys and
 * values may take. */
#define MAX_ROWS 32
#define PASS_TOKENS 1024
#define CACHE_BYTES ((size_t)256 << 20)

/* Spans that begin alike: a stem and its branches. */
struct family {
    size_t first, n; /* spans */
};

struct branch_reader {
    struct pass pass;
    struct kv_cache cache;
    struct batch_builder builder;
    struct row_scores scores;
    size_t n_rows;
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

static mneme_status open_reader(struct branch_reader *reader, const struct model *model, size_t n,
                                const struct scored_span *spans, mneme_error *error) {
    const struct model_config *config = &model->config;
    size_t longest = 0, position = config->n_layers * config->n_kv_heads * model_head_dim(config) *
                                   2 * sizeof(float);
    for (size_t i = 0; i < n; i++) {
        if (spans[i].n > longest) longest = spans[i].n;
    }
    size_t rows = CACHE_BYTES / position / (longest + 1);
    reader->n_rows = rows < 1 ? 1 : rows > MAX_ROWS ? MAX_ROWS : rows;
    const struct pass_size size = {.tokens = longest > PASS_TOKENS ? longest : PASS_TOKENS,
                                   .positions = longest};
    pass_open_cached(&reader->pass, model);
    TRY(pass_pack(&reader->pass, config->n_layers, error));
    TRY(pass_resize(&reader->pass, &size, error));
    TRY(kv_cache_open(&reader->cache, config, reader->n_rows, error));
    TRY(kv_cache_grow(&reader->cache, longest, error));
    TRY(batch_builder_open(&reader->builder, size.tokens, error));
    return row_scores_open(&reader->scores, model, error);
}

static void close_reader(struct branch_reader *reader) {
    pass_close(&reader->pass);
    kv_cache_close(&reader->cache);
    batch_builder_close(&reader->builder);
    row_scores_close(&reader->scores);
}

/* Takes the next families whose stems fit a pass; returns the first span after them. */
static size_t gather(struct branch_reader *reader, size_t first, size_t n) {
    const struct scored_span *spans = reader->spans;
    batch_builder_clear(&reader->builder);
    reader->n_families = 0;
    while (first < n && reader->n_families < reader->n_rows) {
        size_t end = first + 1;
        if (!batch_builder_add(&reader->builder, stem_length(&spans[first]), spans[first].tokens,
                               NULL, 0)) {
            break;
        }
        while (end < n && share_stem(&spans[first], &spans[end])) end++;
        reader->rows[reader->n_families] = reader->n_families;
        reader->families[reader->n_families++] = (struct family){first, end - first};
        first = end;
    }
    return first;
}

static mneme_status run_pass(struct branch_reader *reader, struct batch *batch,
                             mneme_error *error) {
    *batch = batch_builder_whole(&reader->builder);
    const struct continuation continuation = {
        .cache = &reader->cache, .pasts = reader->builder.pasts, .rows = reader->rows};
    return model_forward(&reader->pass, batch, &continuation, error);
}

/* Reads the stems, whose last rows predict the first token of each branch. */
static mneme_status read_stems(struct branch_reader *reader, mneme_error *error) {
    struct batch batch;
    size_t dim = reader->pass.model->config.dim;
    TRY(run_pass(reader, &batch, error));
    for (size_t f = 0; f < reader->n_families; f++) {
        const float *normed =
            reader->pass.activations.output_normed + (batch.starts[f + 1] - 1) * dim;
        for (size_t k = 0; k < reader->families[f].n; k++) {
            size_t i = reader->families[f].first + k;
            const struct scored_span *span = &reader->spans[i];
            TRY(row_scores_add(&reader->scores, &reader->pass, normed,
                               span->tokens[stem_length(span)], &reader->nll[i], NULL, error));
        }
    }
    return row_scores_flush(&reader->scores, &reader->pass, error);
}

/* Puts as many families' branch k as fit into the builder, from family *f on. */
static size_t gather_branches(struct branch_reader *reader, size_t k, size_t *f) {
    size_t n = 0;
    batch_builder_clear(&reader->builder);
    for (; *f < reader->n_families; ++*f) {
        const struct family *family = &reader->families[*f];
        if (k >= family->n) continue;
        const struct scored_span *span = &reader->spans[family->first + k];
        if (span->n_scored < 2) continue;
        size_t stem = stem_length(span);
        if (!batch_builder_add(&reader->builder, span->n_scored - 1, span->tokens + stem, NULL,
                               stem)) {
            break;
        }
        reader->rows[n++] = *f;
    }
    return n;
}

/* Reads branch k of each family, over what branch k - 1 left behind the stems. */
static mneme_status read_branches(struct branch_reader *reader, size_t k, mneme_error *error) {
    size_t dim = reader->pass.model->config.dim;
    for (size_t f = 0;;) {
        struct batch batch;
        size_t n = gather_branches(reader, k, &f);
        if (n == 0) return MNEME_OK;
        TRY(run_pass(reader, &batch, error));
        for (size_t s = 0; s < n; s++) {
            size_t i = reader->families[reader->rows[s]].first + k;
            const struct scored_span *span = &reader->spans[i];
            const int32_t *targets = span->tokens + stem_length(span) + 1;
            const float *normed = reader->pass.activations.output_normed + batch.starts[s] * dim;
            for (size_t t = 0; t < span->n_scored - 1; t++) {
                TRY(row_scores_add(&reader->scores, &reader->pass, normed + t * dim, targets[t],
                                   &reader->nll[i], NULL, error));
            }
        }
        TRY(row_scores_flush(&reader->scores, &reader->pass, error));
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
    mneme_status status = open_reader(&reader, model, n, spans, error);
    for (size_t i = 0; i < n; i++) nll[i] = 0.0;
    for (size_t first = 0; status == MNEME_OK && first < n;) {
        first = gather(&reader, first, n);
        status = read_group(&reader, error);
        if (status == MNEME_OK && progress != NULL) progress(first, context);
    }
    close_reader(&reader);
    return status;
}
