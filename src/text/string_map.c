#include "text/string_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* FNV-1a, with a last mix because the table uses the low bits. */
static uint64_t hash_bytes(const char *bytes, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    }
    return hash ^ (hash >> 32);
}

/* The slot that holds the string, or the empty one where it belongs. Needs n_slots > 0. */
static size_t find_slot(const struct string_map *map, const char *bytes, size_t length,
                        uint64_t hash) {
    size_t slot = hash & (map->n_slots - 1);
    for (; map->slots[slot] != STRING_MAP_NONE; slot = (slot + 1) & (map->n_slots - 1)) {
        const struct string_map_entry *entry = &map->entries[map->slots[slot]];
        if (entry->hash == hash && entry->length == length &&
            memcmp(map->bytes + entry->start, bytes, length) == 0) {
            break;
        }
    }
    return slot;
}

static mneme_status grow_slots(struct string_map *map, mneme_error *error) {
    size_t n_slots = map->n_slots == 0 ? 64 : map->n_slots * 2;
    uint32_t *slots = malloc(n_slots * sizeof *slots);
    if (slots == NULL) return error_set_memory(error, "a table of strings");
    memset(slots, 0xff, n_slots * sizeof *slots);
    for (size_t i = 0; i < map->n; i++) {
        if (map->entries[i].is_hidden) continue;
        size_t slot = map->entries[i].hash & (n_slots - 1);
        while (slots[slot] != STRING_MAP_NONE) slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)i;
    }
    free(map->slots);
    map->slots = slots;
    map->n_slots = n_slots;
    return MNEME_OK;
}

static mneme_status append(struct string_map *map, const char *bytes, size_t length, uint64_t hash,
                           mneme_error *error) {
    if (map->n == STRING_MAP_NONE) return error_set_memory(error, "a table of strings");
    TRY(memory_grow((void **)&map->entries, &map->entry_capacity, map->n + 1, sizeof *map->entries,
                    "a table of strings", error));
    TRY(memory_grow((void **)&map->bytes, &map->byte_capacity, map->n_bytes + length + 1, 1,
                    "a table of strings", error));
    memcpy(map->bytes + map->n_bytes, bytes, length);
    map->entries[map->n] = (struct string_map_entry){map->n_bytes, length, hash, false};
    map->n_bytes += length;
    map->n++;
    return MNEME_OK;
}

mneme_status string_map_add(struct string_map *map, const char *bytes, size_t length,
                            uint32_t *index, bool *added, mneme_error *error) {
    if (2 * (map->n + 1) > map->n_slots) {
        TRY(grow_slots(map, error));
    }
    uint64_t hash = hash_bytes(bytes, length);
    size_t slot = find_slot(map, bytes, length, hash);
    bool is_new = map->slots[slot] == STRING_MAP_NONE;
    if (is_new) {
        TRY(append(map, bytes, length, hash, error));
        map->slots[slot] = (uint32_t)(map->n - 1);
    }
    *index = map->slots[slot];
    if (added != NULL) *added = is_new;
    return MNEME_OK;
}

mneme_status string_map_add_hidden(struct string_map *map, const char *bytes, size_t length,
                                   mneme_error *error) {
    mneme_status status = append(map, bytes, length, 0, error);
    if (status == MNEME_OK) map->entries[map->n - 1].is_hidden = true;
    return status;
}

uint32_t string_map_find(const struct string_map *map, const char *bytes, size_t length) {
    if (map->n_slots == 0) return STRING_MAP_NONE;
    return map->slots[find_slot(map, bytes, length, hash_bytes(bytes, length))];
}

const char *string_map_get(const struct string_map *map, uint32_t index, size_t *length) {
    *length = map->entries[index].length;
    return map->bytes + map->entries[index].start;
}

void string_map_free(struct string_map *map) {
    free(map->entries);
    free(map->bytes);
    free(map->slots);
    *map = (struct string_map){0};
}
