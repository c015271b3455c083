#include "tokenizer/pair_map.h"

#include <stdlib.h>
#include <string.h>

static uint64_t pair_key(int32_t left, int32_t right) {
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

/* The slot that holds the key, or the empty one where it belongs. */
static size_t find_slot(const uint64_t *keys, const uint32_t *values, size_t n_slots,
                        uint64_t key) {
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    size_t slot = (hash ^ (hash >> 32)) & (n_slots - 1);
    while (values[slot] != PAIR_MAP_NONE && keys[slot] != key) slot = (slot + 1) & (n_slots - 1);
    return slot;
}

static mneme_status grow(struct pair_map *map, mneme_error *error) {
    size_t n_slots = map->n_slots == 0 ? 64 : map->n_slots * 2;
    uint64_t *keys = malloc(n_slots * sizeof *keys);
    uint32_t *values = malloc(n_slots * sizeof *values);
    if (keys == NULL || values == NULL) {
        free(keys);
        free(values);
        return error_set_memory(error, "a table of token pairs");
    }
    memset(values, 0xff, n_slots * sizeof *values);
    for (size_t i = 0; i < map->n_slots; i++) {
        if (map->values[i] == PAIR_MAP_NONE) continue;
        size_t slot = find_slot(keys, values, n_slots, map->keys[i]);
        keys[slot] = map->keys[i];
        values[slot] = map->values[i];
    }
    free(map->keys);
    free(map->values);
    map->keys = keys;
    map->values = values;
    map->n_slots = n_slots;
    return MNEME_OK;
}

uint32_t pair_map_get(const struct pair_map *map, int32_t left, int32_t right) {
    if (map->n_slots == 0) return PAIR_MAP_NONE;
    return map->values[find_slot(map->keys, map->values, map->n_slots, pair_key(left, right))];
}

mneme_status pair_map_put(struct pair_map *map, int32_t left, int32_t right, uint32_t value,
                          mneme_error *error) {
    if (2 * (map->n + 1) > map->n_slots) {
        TRY(grow(map, error));
    }
    uint64_t key = pair_key(left, right);
    size_t slot = find_slot(map->keys, map->values, map->n_slots, key);
    if (map->values[slot] == PAIR_MAP_NONE) map->n++;
    map->keys[slot] = key;
    map->values[slot] = value;
    return MNEME_OK;
}

void pair_map_free(struct pair_map *map) {
    free(map->keys);
    free(map->values);
    *map = (struct pair_map){0};
}
