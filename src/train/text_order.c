#include "train/text_order.h"

#include <stdlib.h>

#include "base/random.h"

mneme_status text_order_open(struct text_order *order, const struct token_texts *texts,
                             uint64_t seed, uint64_t stream, mneme_error *error) {
    *order =
        (struct text_order){.texts = texts, .seed = seed, .stream = stream, .epoch = UINT64_MAX};
    if (texts->n == 0) return error_set(error, MNEME_BAD_INPUT, "there are no texts to train on");
    order->order = malloc(texts->n * sizeof *order->order);
    return order->order == NULL ? error_set_memory(error, "the order of the texts") : MNEME_OK;
}

void text_order_close(struct text_order *order) {
    free(order->order);
    *order = (struct text_order){0};
}

/* The text that comes at place `cursor`. */
static size_t text_at(struct text_order *order) {
    uint64_t n = order->texts->n, epoch = order->cursor / n;
    if (epoch != order->epoch) {
        random_permutation(order->seed, order->stream, epoch * n, (size_t)n, order->order);
        order->epoch = epoch;
    }
    return order->order[order->cursor % n];
}

void text_order_fill(struct text_order *order, struct batch_builder *builder, size_t max_tokens) {
    batch_builder_clear(builder);
    for (;;) {
        size_t i = text_at(order);
        if (builder->n_tokens > 0 && builder->n_tokens + order->texts->lengths[i] > max_tokens) {
            return;
        }
        if (!batch_builder_add_text(builder, order->texts, i)) return;
        order->cursor++;
    }
}
