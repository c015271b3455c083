#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Every float array starts on a cache line, which is also the width of the widest vector. */
#define MEMORY_ALIGNMENT 64

/* *product = a * b; false when it does not fit. For sizes that come from files. */
bool size_multiply(size_t a, size_t b, size_t *product);

/* Allocates zeroed memory aligned to MEMORY_ALIGNMENT; NULL when there is none or count * size
 * overflows.
 * Free with free(). A count of 0 gives a valid pointer. */
void *memory_allocate(size_t count, size_t size);

/* Grows *array (elements of `size` bytes, *capacity of them) to hold at least `needed`,
 * at least doubling. On failure nothing changes. */
mneme_status memory_grow(void **array, size_t *capacity, size_t needed, size_t size,
                         const char *what, mneme_error *error);

/* A block that is sized once and handed out piece by piece; nothing is freed singly.
 * Use: arena_reserve for every piece, arena_open, then the same arena_take calls in order. */
struct arena {
    unsigned char *base;
    size_t size; /* bytes reserved */
    size_t used; /* bytes handed out */
};

/* Adds the room of count * size bytes, rounded up to the alignment. False on overflow. */
bool arena_reserve(struct arena *arena, size_t count, size_t size);
mneme_status arena_open(struct arena *arena, const char *what, mneme_error *error);
/* Zeroed, aligned; asserts that the room was reserved. */
void *arena_take(struct arena *arena, size_t count, size_t size);
void arena_close(struct arena *arena);

#endif
