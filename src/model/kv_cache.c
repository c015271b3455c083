#include "model/kv_cache.h"

#include <stdlib.h>
#include <string.h>

#include "simd/simd.h"

static const char what[] = "the key-value cache";

mneme_status kv_cache_open(struct kv_cache *cache, const struct model_config *config, size_t n_rows,
                           mneme_error *error) {
    *cache = (struct kv_cache){.n_rows = n_rows,
                               .n_layers = config->n_layers,
                               .kv_heads = config->n_kv_heads,
                               .head_dim = model_head_dim(config),
                               .layers = calloc(config->n_layers, sizeof *cache->layers)};
    return cache->layers == NULL ? error_set_memory(error, what) : MNEME_OK;
}

void kv_cache_close(struct kv_cache *cache) {
    free(cache->layers);
    arena_close(&cache->arena);
    *cache = (struct kv_cache){0};
}

static mneme_status lay_out(struct kv_cache *cache, size_t positions, mneme_error *error) {
    size_t rows = cache->n_rows * cache->kv_heads, row, n = 0;
    struct arena_piece *pieces = calloc(2 * cache->n_layers, sizeof *pieces);
    if (pieces == NULL || !size_multiply(cache->head_dim * sizeof(float), positions, &row)) {
        free(pieces);
        return error_set_memory(error, what);
    }
    for (size_t l = 0; l < cache->n_layers; l++) {
        cache->layers[l].stride = positions;
        pieces[n++] = (struct arena_piece){&cache->layers[l].keys, rows, row};
        pieces[n++] = (struct arena_piece){&cache->layers[l].values, rows, row};
    }
    mneme_status status = arena_layout_scratch(&cache->arena, n, pieces, what, error);
    free(pieces);
    if (status == MNEME_OK) cache->positions = positions;
    return status;
}

/* What one layer of `from` holds; keys lie transposed. */
static void copy_layer(const struct kv_cache *cache, const struct attention_cache *from,
                       const struct attention_cache *to) {
    size_t lines = cache->n_rows * cache->kv_heads * cache->head_dim;
    for (size_t i = 0; i < lines; i++) {
        memcpy(to->keys + i * to->stride, from->keys + i * from->stride,
               from->stride * sizeof(float));
    }
    size_t from_row = cache->head_dim * from->stride, to_row = cache->head_dim * to->stride;
    for (size_t i = 0; i < cache->n_rows * cache->kv_heads; i++) {
        memcpy(to->values + i * to_row, from->values + i * from_row, from_row * sizeof(float));
    }
}

mneme_status kv_cache_grow(struct kv_cache *cache, size_t positions, mneme_error *error) {
    positions = (positions + ATTENTION_KEY_BLOCK - 1) / ATTENTION_KEY_BLOCK * ATTENTION_KEY_BLOCK;
    if (positions <= cache->positions) return MNEME_OK;
    struct kv_cache grown = *cache;
    grown.layers = calloc(cache->n_layers, sizeof *grown.layers);
    mneme_status status = grown.layers == NULL ? error_set_memory(error, what) : MNEME_OK;
    THEN(lay_out(&grown, positions, error));
    if (status != MNEME_OK) {
        free(grown.layers);
        return status;
    }
    for (size_t l = 0; cache->positions > 0 && l < cache->n_layers; l++) {
        copy_layer(cache, &cache->layers[l], &grown.layers[l]);
    }
    kv_cache_close(cache);
    *cache = grown;
    return MNEME_OK;
}
