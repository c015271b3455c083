#ifndef COMPARE_GRID_H
#define COMPARE_GRID_H

#include <stddef.h>

#include <jansson.h>

#include "base/json_read.h"

/* Lists of values, one per recipe key, of which all combinations are wanted. */

#define GRID_MAX_KEYS 8

struct grid {
    const char *keys[GRID_MAX_KEYS];
    const json_t *values[GRID_MAX_KEYS];
    size_t n_keys;
    size_t n_combinations;
};

/* Reads the object at `at`, whose keys have lists of values: at most `most` combinations. Without
 * an object there is one combination, of nothing. Borrows the object. */
mneme_status grid_read(const struct json_place *at, size_t most, struct grid *grid,
                       mneme_error *error);

/* Value of key number `key` in a combination; the first key varies slowest. */
const json_t *grid_value(const struct grid *grid, size_t combination, size_t key);

/* "t 30, lr 100", keys without what is before their last dot. The seed is left out, and unless
 * `all`, keys of one value. malloc'ed, NULL without memory. */
char *grid_label(const struct grid *grid, size_t combination, bool all);

/* A name for a folder: "n_keys-64_seed-1". malloc'ed, NULL without memory. */
char *grid_folder(const struct grid *grid, size_t combination);

#endif
