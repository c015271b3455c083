#ifndef TOKENIZER_PAIR_MAP_H
#define TOKENIZER_PAIR_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PAIR_MAP_NONE UINT32_MAX

/* Numbers stored under pairs of token ids. All zero is an empty map. */
struct pair_map {
    uint64_t *keys;   /* [n_slots] */
    uint32_t *values; /* [n_slots], PAIR_MAP_NONE where empty */
    size_t n;
    size_t n_slots; /* a power of two */
};

/* The number stored under (left, right), or PAIR_MAP_NONE. */
uint32_t pair_map_get(const struct pair_map *map, int32_t left, int32_t right);

/* Stores value (not PAIR_MAP_NONE) under (left, right), in place of what was there. */
mneme_status pair_map_put(struct pair_map *map, int32_t left, int32_t right, uint32_t value,
                          mneme_error *error);

void pair_map_free(struct pair_map *map);

#endif
