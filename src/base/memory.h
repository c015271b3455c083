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

/* The same for scratch, whose content does not matter: it is not zeroed, so that pages which nobody
 * writes to take no memory. */
void *memory_allocate_scratch(size_t count, size_t size);

/* free() of such scratch, for a rehearsal (rehearsal.h) to know. */
void memory_free_scratch(void *scratch, size_t count, size_t size);

/* Grows *array (elements of `size` bytes, *capacity of them) to hold at least `needed`,
 * at least doubling. On failure nothing changes. */
mneme_status memory_grow(void **array, size_t *capacity, size_t needed, size_t size,
                         const char *what, mneme_error *error);

/* A block that is sized once and cut into pieces; nothing is freed singly. */
struct arena {
    unsigned char *base;
    size_t size; /* bytes */
    const char
        *reserved; /* what it was reserved for in a rehearsal (rehearsal.h); NULL: it is real */
};

/* An array in an arena: the pointer at `place`, of whatever type, becomes its address. */
struct arena_piece {
    void *place;
    size_t count, size; /* of elements, and of one */
};

/* Bytes that n pieces take, each rounded up to the alignment; SIZE_MAX when no memory holds them.
 */
size_t arena_bytes(size_t n, const struct arena_piece *pieces);
/* Allocates room for n pieces, zeroed and aligned, and places them one after the other. An arena
 * without pieces takes no memory. */
mneme_status arena_layout(struct arena *arena, size_t n, const struct arena_piece *pieces,
                          const char *what, mneme_error *error);
/* The same for scratch: not zeroed, as memory_allocate_scratch. */
mneme_status arena_layout_scratch(struct arena *arena, size_t n, const struct arena_piece *pieces,
                                  const char *what, mneme_error *error);
void arena_close(struct arena *arena);

#endif
