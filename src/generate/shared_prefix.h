#ifndef GENERATE_SHARED_PREFIX_H
#define GENERATE_SHARED_PREFIX_H

#include "model/batch_builder.h"
#include "model/kv_cache.h"

/* Sequences that begin alike, as questions after the same examples do: their beginning is read once
 * and copied. */

/* A sequence's tokens. */
struct token_span {
    const int32_t *tokens;
    size_t n;
};

/* The number of rows, from the first of n on, that are best read together: *length tokens at their
 * beginning are the same, and every row has more; 0 where there is one row, or too little to gain.
 */
size_t shared_prefix_find(size_t n, const struct token_span *rows, size_t *length);

/* Copies what the cache has of the first n positions of row `from` to row `to`. */
void shared_prefix_copy(const struct kv_cache *cache, size_t from, size_t to, size_t n);

#endif
