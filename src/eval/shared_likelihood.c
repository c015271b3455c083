#include "eval/shared_likelihood.h"

#include "generate/shared_prefix.h"
#include "model/kv_cache.h"

/* Spans side by side and tokens of a pass over them, and the bytes that their keys and values may
 * take. */
#define MAX_ROWS 64
#define PASS_TOKENS 1024
#define CACHE_BYTES ((size_t)256 << 20)

struct shared_reader {
    struct pass pass;
    struct kv_cache cache;
    struct batch_builder builder;
    struct row_scores scores;
    size_t n_rows;
    const struct scored_span *spans; /* of the group under way */
    double *nll;
    size_t rows[MAX_ROWS];  /* of each sequence of a pass */
    size_t pasts[MAX_ROWS]; /* tokens of each row that the cache holds */
};

static mneme_status open_reader(struct shared_reader *reader, const struct model *model, size_t n,
                                const struct scored_span *spans, mneme_error *error) {
    const struct model_config *config = &model->config;
    size_t longest = 1, position = config->n_layers * config->n_kv_heads * model_head_dim(config) *
                                   2 * sizeof(float);
    for (size_t i = 0; i < n; i++) {
        if (spans[i].n > longest) longest = spans[i].n;
    }
    size_t rows = CACHE_BYTES / position / longest;
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

static void close_reader(struct shared_reader *reader) {
    pass_close(&reader->pass);
    kv_cache_close(&reader->cache);
    batch_builder_close(&reader->builder);
    row_scores_close(&reader->scores);
}

static mneme_status run_pass(struct shared_reader *reader, struct batch *batch,
                             mneme_error *error) {
    *batch = batch_builder_whole(&reader->builder);
    const struct continuation continuation = {
        .cache = &reader->cache, .pasts = reader->builder.pasts, .rows = reader->rows};
    return model_forward(&reader->pass, batch, &continuation, error);
}

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
        batch_builder_clear(&reader->builder);
        batch_builder_add(&reader->builder, length, beginnings[row].tokens, NULL, 0);
        reader->rows[0] = row;
        TRY(run_pass(reader, &batch, error));
        for (size_t i = 0; i < n_alike; i++) reader->pasts[row + i] = length;
        for (size_t i = 1; i < n_alike; i++) {
            shared_prefix_copy(&reader->cache, row, row + i, length);
        }
    }
    return MNEME_OK;
}

/* Scores row i of the group, whose rest stands in the pass from `normed` on. */
static mneme_status score_row(struct shared_reader *reader, size_t i, const float *normed,
                              mneme_error *error) {
    const struct scored_span *span = &reader->spans[i];
    size_t dim = reader->pass.model->config.dim;
    for (size_t t = span->n - span->n_scored; t < span->n; t++) {
        TRY(row_scores_add(&reader->scores, &reader->pass,
                           normed + (t - 1 - reader->pasts[i]) * dim, span->tokens[t],
                           &reader->nll[i], NULL, error));
    }
    return MNEME_OK;
}

/* Reads the rest of as many rows as fit a pass, from row *row on. */
static mneme_status read_rests(struct shared_reader *reader, size_t n, size_t *row,
                               mneme_error *error) {
    size_t first = *row, dim = reader->pass.model->config.dim;
    struct batch batch;
    batch_builder_clear(&reader->builder);
    for (; *row < n; ++*row) {
        const struct scored_span *span = &reader->spans[*row];
        size_t past = reader->pasts[*row];
        if (!batch_builder_add(&reader->builder, span->n - 1 - past, span->tokens + past, NULL,
                               past)) {
            break;
        }
        reader->rows[*row - first] = *row;
    }
    TRY(run_pass(reader, &batch, error));
    for (size_t i = first; i < *row; i++) {
        TRY(score_row(reader, i,
                      reader->pass.activations.output_normed + batch.starts[i - first] * dim,
                      error));
    }
    return row_scores_flush(&reader->scores, &reader->pass, error);
}

mneme_status shared_likelihoods(const struct model *model, size_t n,
                                const struct scored_span *spans, double *nll,
                                void (*progress)(size_t done, void *context), void *context,
                                mneme_error *error) {
    struct shared_reader reader = {0};
    mneme_status status = open_reader(&reader, model, n, spans, error);
    for (size_t i = 0; i < n; i++) nll[i] = 0.0;
    for (size_t first = 0; status == MNEME_OK && first < n; first += reader.n_rows) {
        size_t rows = n - first < reader.n_rows ? n - first : reader.n_rows;
        reader.spans = spans + first;
        reader.nll = nll + first;
        status = read_shared(&reader, rows, error);
        for (size_t row = 0; row < rows;) {
            THEN(read_rests(&reader, rows, &row, error));
            if (status != MNEME_OK) break;
        }
        if (status == MNEME_OK && progress != NULL) progress(first + rows, context);
    }
    close_reader(&reader);
    return status;
}
