#ifndef TRAIN_TEXT_ORDER_H
#define TRAIN_TEXT_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "corpus/packed_text.h"
#include "model/batch_builder.h"
#include "tokenizer/token_texts.h"

/* An endless, deterministic order of training texts: every epoch is a permutation of all of them,
 * single texts and sequences of packed text alike. Its whole state is `cursor`, the number of texts
 * handed out. */
struct text_order {
    const struct token_texts *texts;
    const struct packed_text *packed; /* whose sequences come after the texts; NULL: none */
    uint64_t seed;
    uint64_t stream; /* enum random_stream */
    uint64_t cursor;
    uint64_t epoch; /* of `order`; UINT64_MAX before the first */
    uint32_t *order;
};

mneme_status text_order_open(struct text_order *order, const struct token_texts *texts,
                             uint64_t seed, uint64_t stream, mneme_error *error);
/* Of single texts and of sequences; `packed` may be NULL, or {0}. */
mneme_status text_order_open_packed(struct text_order *order, const struct token_texts *texts,
                                    const struct packed_text *packed, uint64_t seed,
                                    uint64_t stream, mneme_error *error);
void text_order_close(struct text_order *order);

/* Fills the builder with texts, at least one, until the next one would exceed max_tokens tokens,
 * which must have room for the longest text. */
void text_order_fill(struct text_order *order, struct batch_builder *builder, size_t max_tokens);

/* Inputs of the longest text or sequence, 0 for none: what a batch must have room for. */
size_t text_order_longest(const struct token_texts *texts, const struct packed_text *packed);

#endif
