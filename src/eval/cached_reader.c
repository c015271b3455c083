#include "eval/cached_reader.h"

/* Tokens of a pass, unless a span is longer, and the bytes that keys and values may take. */
#define PASS_TOKENS 1024
#define CACHE_BYTES ((size_t)256 << 20)

static size_t longest_span(size_t n, const struct scored_span *spans) {
    size_t longest = 1;
    for (size_t i = 0; i < n; i++) {
        if (spans[i].n > longest) longest = spans[i].n;
    }
    return longest;
}

/* Rows of so many tokens that the bytes have room for. */
static size_t count_rows(const struct model_config *config, size_t longest, size_t most) {
    const size_t position =
        config->n_layers * config->n_kv_heads * model_head_dim(config) * 2 * sizeof(float);
    const size_t rows = CACHE_BYTES / position / longest;
    return rows < 1 ? 1 : rows > most ? most : rows;
}

mneme_status cached_reader_open(struct cached_reader *reader, const struct model *model, size_t n,
                                const struct scored_span *spans, size_t most_rows,
                                mneme_error *error) {
    const struct model_config *config = &model->config;
    const size_t longest = longest_span(n, spans);
    const struct pass_size size = {.tokens = longest > PASS_TOKENS ? longest : PASS_TOKENS,
                                   .positions = longest};
    reader->n_rows = count_rows(config, longest, most_rows);
    pass_open_cached(&reader->pass, model);
    TRY(pass_pack(&reader->pass, config->n_layers, error));
    TRY(pass_resize(&reader->pass, &size, error));
    TRY(kv_cache_open(&reader->cache, config, reader->n_rows, error));
    TRY(kv_cache_grow(&reader->cache, longest, error));
    TRY(batch_builder_open(&reader->builder, size.tokens, error));
    return row_scores_open(&reader->scores, model, error);
}

void cached_reader_close(struct cached_reader *reader) {
    pass_close(&reader->pass);
    kv_cache_close(&reader->cache);
    batch_builder_close(&reader->builder);
    row_scores_close(&reader->scores);
}

mneme_status cached_reader_run(struct cached_reader *reader, const size_t *rows,
                               struct batch *batch, mneme_error *error) {
    *batch = batch_builder_whole(&reader->builder);
    const struct continuation continuation = {
        .cache = &reader->cache, .pasts = reader->builder.pasts, .rows = rows};
    return model_forward(&reader->pass, batch, &continuation, error);
}

const float *cached_reader_normed(const struct cached_reader *reader, const struct batch *batch,
                                  size_t sequence) {
    return reader->pass.activations.output_normed +
           batch->starts[sequence] * reader->pass.model->config.dim;
}
