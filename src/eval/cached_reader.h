#ifndef EVAL_CACHED_READER_H
#define EVAL_CACHED_READER_H

#include "eval/span_likelihood.h"
#include "model/batch_builder.h"
#include "model/kv_cache.h"
#include "model/pass.h"

/* Reads spans side by side, in parts: what a row of the cache holds of one is not read again. */
struct cached_reader {
    struct pass pass;
    struct kv_cache cache;
    struct batch_builder builder; /* of the next part */
    struct row_scores scores;
    size_t n_rows; /* of the cache */
};

/* For n spans, at most most_rows of them side by side. */
mneme_status cached_reader_open(struct cached_reader *reader, const struct model *model, size_t n,
                                const struct scored_span *spans, size_t most_rows,
                                mneme_error *error);
/* Does nothing to {0}. */
void cached_reader_close(struct cached_reader *reader);

/* Reads what stands in the builder, sequence i behind what row rows[i] holds; *batch becomes it. */
mneme_status cached_reader_run(struct cached_reader *reader, const size_t *rows,
                               struct batch *batch, mneme_error *error);

/* What the last part's sequence has, token by token, before the logits [tokens, dim]. */
const float *cached_reader_normed(const struct cached_reader *reader, const struct batch *batch,
                                  size_t sequence);

#endif
