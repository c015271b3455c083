#include "generate/shared_prefix.h"

#include <string.h>

/* Fewer tokens are not worth a pass of their own, and so many more are worth another group. */
#define LEAST_TOKENS 16
#define LEAST_GAIN 8

/* How many tokens both begin with; at least one of each is left. */
static size_t common(const struct token_span *a, const struct token_span *b) {
    size_t n = 0;
    while (n + 1 < a->n && n + 1 < b->n && a->tokens[n] == b->tokens[n]) n++;
    return n;
}

size_t shared_prefix_find(size_t n, const struct token_span *rows, size_t *length) {
    size_t end = 1;
    *length = 0;
    for (; end < n; end++) {
        size_t with_first = common(&rows[0], &rows[end]);
        size_t with_next = end + 1 < n ? common(&rows[end], &rows[end + 1]) : 0;
        if (with_first < LEAST_TOKENS) break;
        if (with_next > with_first + LEAST_GAIN || *length > with_first + LEAST_GAIN) break;
        if (end == 1 || with_first < *length) *length = with_first;
    }
    return end;
}

void shared_prefix_copy(const struct kv_cache *cache, size_t from, size_t to, size_t n) {
    size_t heads = cache->kv_heads, dim = cache->head_dim;
    for (size_t l = 0; l < cache->n_layers; l++) {
        const struct attention_cache *layer = &cache->layers[l];
        size_t row = heads * dim * layer->stride;
        for (size_t i = 0; i < heads * dim; i++) { /* keys lie transposed */
            size_t line = i * layer->stride;
            memcpy(layer->keys + to * row + line, layer->keys + from * row + line,
                   n * sizeof(float));
        }
        for (size_t h = 0; h < heads; h++) {
            size_t head = h * dim * layer->stride;
            memcpy(layer->values + to * row + head, layer->values + from * row + head,
                   n * dim * sizeof(float));
        }
    }
}
