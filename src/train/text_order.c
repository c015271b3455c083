#include "train/text_order.h"

#include <stdlib.h>

#include "base/random.h"

/* Texts and sequences. */
static size_t count(const struct text_order *order) {
    return order->texts->n + (order->packed == NULL ? 0 : packed_text_count(order->packed));
}

mneme_status text_order_open(struct text_order *order, const struct token_texts *texts,
                             uint64_t seed, uint64_t stream, mneme_error *error) {
    return text_order_open_packed(order, texts, NULL, seed, stream, error);
}

size_t text_order_longest(const struct token_texts *texts, const struct packed_text *packed) {
    size_t longest = token_texts_longest(texts);
    if (packed == NULL || packed_text_count(packed) == 0) return longest;
    return longest > packed->sequence_length ? longest : packed->sequence_length;
}

mneme_status text_order_open_packed(struct text_order *order, const struct token_texts *texts,
                                    const struct packed_text *packed, uint64_t seed,
                                    uint64_t stream, mneme_error *error) {
    *order = (struct text_order){
        .texts = texts, .packed = packed, .seed = seed, .stream = stream, .epoch = UINT64_MAX};
    const size_t n = count(order);
    if (n == 0) return error_set(error, MNEME_BAD_INPUT, "there are no texts to train on");
    if (n > UINT32_MAX) {
        return error_set(error, MNEME_BAD_INPUT, "%zu texts are too many to train on", n);
    }
    order->order = malloc(n * sizeof *order->order);
    return order->order == NULL ? error_set_memory(error, "the order of the texts") : MNEME_OK;
}

void text_order_close(struct text_order *order) {
    free(order->order);
    *order = (struct text_order){0};
}

/* The text that comes at place `cursor`. */
static size_t text_at(struct text_order *order) {
    uint64_t n = count(order), epoch = order->cursor / n;
    if (epoch != order->epoch) {
        random_permutation(order->seed, order->stream, epoch * n, (size_t)n, order->order);
        order->epoch = epoch;
    }
    return order->order[order->cursor % n];
}

/* Adds text i, or the sequence that comes as number i after the texts; false if it does not fit
 * below max_tokens. The first always fits. */
static bool add(const struct text_order *order, size_t i, struct batch_builder *builder,
                size_t max_tokens) {
    const bool is_text = i < order->texts->n;
    size_t length = 0;
    const int32_t *inputs = is_text
                                ? order->texts->tokens.ids + order->texts->starts[i]
                                : packed_text_sequence(order->packed, i - order->texts->n, &length);
    if (is_text) length = order->texts->lengths[i];
    if (builder->n_tokens > 0 && builder->n_tokens + length > max_tokens) return false;
    return batch_builder_add(builder, length, inputs, inputs + 1, 0);
}

void text_order_fill(struct text_order *order, struct batch_builder *builder, size_t max_tokens) {
    batch_builder_clear(builder);
    while (add(order, text_at(order), builder, max_tokens)) order->cursor++;
}
