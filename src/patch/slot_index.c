#include "patch/slot_index.h"

#include <stdlib.h>
#include <string.h>

/* Where a slot is looked for first: Knuth's multiplicative hashing. */
static size_t home(const struct slot_index *index, int32_t slot) {
    return (size_t)((uint32_t)slot * UINT64_C(2654435769)) & (index->capacity - 1);
}

/* The cell that has the slot, or the free one where it belongs. */
static size_t cell_of(const struct slot_index *index, int32_t slot) {
    size_t cell = home(index, slot);
    while (index->slots[cell] != -1 && index->slots[cell] != slot) {
        cell = (cell + 1) & (index->capacity - 1);
    }
    return cell;
}

static mneme_status grow(struct slot_index *index, mneme_error *error) {
    const struct slot_index old = *index;
    size_t capacity = old.capacity == 0 ? 64 : 2 * old.capacity;
    *index = (struct slot_index){.slots = malloc(capacity * sizeof *index->slots),
                                 .places = malloc(capacity * sizeof *index->places),
                                 .capacity = capacity,
                                 .n = old.n};
    if (index->slots == NULL || index->places == NULL) {
        slot_index_free(index);
        *index = old;
        return error_set_memory(error, "the slots of a patch");
    }
    memset(index->slots, 0xff, capacity * sizeof *index->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i] == -1) continue;
        size_t cell = cell_of(index, old.slots[i]);
        index->slots[cell] = old.slots[i];
        index->places[cell] = old.places[i];
    }
    free(old.slots);
    free(old.places);
    return MNEME_OK;
}

mneme_status slot_index_add(struct slot_index *index, int32_t slot, size_t place,
                            mneme_error *error) {
    if (2 * (index->n + 1) > index->capacity) TRY(grow(index, error));
    size_t cell = cell_of(index, slot);
    index->slots[cell] = slot;
    index->places[cell] = place;
    index->n++;
    return MNEME_OK;
}

size_t slot_index_find(const struct slot_index *index, int32_t slot) {
    if (index->capacity == 0) return SLOT_INDEX_NONE;
    size_t cell = cell_of(index, slot);
    return index->slots[cell] == slot ? index->places[cell] : SLOT_INDEX_NONE;
}

void slot_index_free(struct slot_index *index) {
    free(index->slots);
    free(index->places);
    *index = (struct slot_index){0};
}
