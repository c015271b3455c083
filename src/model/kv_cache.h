#ifndef MODEL_KV_CACHE_H
#define MODEL_KV_CACHE_H

#include <stddef.h>

#include "base/memory.h"
#include "model/config.h"
#include "nn/attention.h"

/* Keys and values of all layers of sequences that are being continued. It has room for as many
 * positions as were asked for, and keeps what it holds when it grows. */
struct kv_cache {
    size_t n_rows;    /* sequences */
    size_t positions; /* of each; a multiple of ATTENTION_KEY_BLOCK */
    size_t n_layers;
    size_t kv_heads;
    size_t head_dim;
    struct attention_cache *layers; /* [n_layers] */
    struct arena arena;
};

/* Without any positions. */
mneme_status kv_cache_open(struct kv_cache *cache, const struct model_config *config, size_t n_rows,
                           mneme_error *error);
/* Does nothing where there is room already. */
mneme_status kv_cache_grow(struct kv_cache *cache, size_t positions, mneme_error *error);
/* Does nothing to {0}. */
void kv_cache_close(struct kv_cache *cache);

#endif
