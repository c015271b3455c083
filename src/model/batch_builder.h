#ifndef MODEL_BATCH_BUILDER_H
#define MODEL_BATCH_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "model/pass.h"
#include "tokenizer/token_texts.h"

/* Collects token sequences into batches without padding. */
struct batch_builder {
    size_t max_tokens;
    size_t n_tokens;
    size_t n_sequences;
    int32_t *tokens, *targets, *positions; /* [max_tokens] */
    size_t *starts;                        /* [max_tokens + 1] */
    size_t *pasts;                         /* [max_tokens] position of a sequence's first token */
    struct arena arena;
};

mneme_status batch_builder_open(struct batch_builder *builder, size_t max_tokens,
                                mneme_error *error);
void batch_builder_close(struct batch_builder *builder);
void batch_builder_clear(struct batch_builder *builder);

/* Appends a sequence of n >= 1 inputs that starts at position `past`; targets may be NULL for
 * "nothing to predict". False, and nothing changes, if it does not fit. */
bool batch_builder_add(struct batch_builder *builder, size_t n, const int32_t *inputs,
                       const int32_t *targets, size_t past);

/* Appends sequence i of the texts, from position 0. False if it does not fit. */
bool batch_builder_add_text(struct batch_builder *builder, const struct token_texts *texts,
                            size_t i);
/* The same; the targets of its inputs before first_target do not count. */
bool batch_builder_add_text_from(struct batch_builder *builder, const struct token_texts *texts,
                                 size_t i, size_t first_target);

/* The sequences [first, end) as a batch; the arrays stay the builder's. starts is [end - first + 1]
 * of the caller's, because a batch's starts count from its own first token. */
struct batch batch_builder_part(const struct batch_builder *builder, size_t first, size_t end,
                                size_t *starts);

/* All sequences. */
struct batch batch_builder_whole(const struct batch_builder *builder);

#endif
