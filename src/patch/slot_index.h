#ifndef PATCH_SLOT_INDEX_H
#define PATCH_SLOT_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SLOT_INDEX_NONE SIZE_MAX

/* Where each slot's row stands in a list of rows. All zero is empty; it takes memory for the slots
 * that it has, however many a table may have. */
struct slot_index {
    int32_t *slots; /* [capacity], a power of two; -1: free */
    size_t *places; /* [capacity] */
    size_t capacity, n;
};

/* Adds a slot that is not there, >= 0. */
mneme_status slot_index_add(struct slot_index *index, int32_t slot, size_t place,
                            mneme_error *error);
/* The place of a slot, or SLOT_INDEX_NONE. */
size_t slot_index_find(const struct slot_index *index, int32_t slot);
/* Does nothing to {0}. */
void slot_index_free(struct slot_index *index);

#endif
