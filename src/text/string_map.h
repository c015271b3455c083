#ifndef TEXT_STRING_MAP_H
#define TEXT_STRING_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define STRING_MAP_NONE UINT32_MAX

struct string_map_entry {
    size_t start; /* first byte in string_map.bytes */
    size_t length;
    uint64_t hash;
    bool is_hidden; /* has a number but is not found */
};

/* Different byte strings, numbered 0, 1, 2, ... in the order they were added. All zero is an
 * empty map. */
struct string_map {
    struct string_map_entry *entries; /* [n] */
    size_t n;
    size_t entry_capacity;
    char *bytes; /* the strings, one after another, without terminators */
    size_t n_bytes;
    size_t byte_capacity;
    uint32_t *slots; /* [n_slots], a power of two; an entry's number or STRING_MAP_NONE */
    size_t n_slots;
};

/* *index becomes the number of the string, which is copied into the map when it is new.
 * *added (may be NULL) says whether it was. */
mneme_status string_map_add(struct string_map *map, const char *bytes, size_t length,
                            uint32_t *index, bool *added, mneme_error *error);

/* Gives the string a number of its own, by which string_map_get returns it; string_map_find does
 * not find it. */
mneme_status string_map_add_hidden(struct string_map *map, const char *bytes, size_t length,
                                   mneme_error *error);

/* The string's number, or STRING_MAP_NONE. */
uint32_t string_map_find(const struct string_map *map, const char *bytes, size_t length);

/* The string with this number; valid until the next string_map_add. */
const char *string_map_get(const struct string_map *map, uint32_t index, size_t *length);

void string_map_free(struct string_map *map);

#endif
