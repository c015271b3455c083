#include "base/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

bool size_multiply(size_t a, size_t b, size_t *product) {
    return !__builtin_mul_overflow(a, b, product);
}

/* Bytes for count * size, rounded up to the alignment and never 0; false on overflow. */
static bool rounded_bytes(size_t count, size_t size, size_t *bytes) {
    if (!size_multiply(count, size, bytes)) return false;
    if (*bytes == 0) *bytes = 1;
    if (*bytes > SIZE_MAX - (MEMORY_ALIGNMENT - 1)) return false;
    *bytes = (*bytes + MEMORY_ALIGNMENT - 1) & ~(size_t)(MEMORY_ALIGNMENT - 1);
    return true;
}

/* Blocks of at least this size are asked for in huge pages, which spare most address lookups. */
#define HUGE_PAGE ((size_t)2 << 20)

/* Every thread touches the part that a static loop would give it, so that the pages of a big block
 * are near the threads that use them. */
static void clear(unsigned char *block, size_t bytes) {
#pragma omp parallel for schedule(static) if (bytes >= 8 * HUGE_PAGE)
    for (size_t i = 0; i < bytes; i += HUGE_PAGE) {
        memset(block + i, 0, bytes - i < HUGE_PAGE ? bytes - i : HUGE_PAGE);
    }
}

void *memory_allocate(size_t count, size_t size) {
    size_t bytes;
    if (!rounded_bytes(count, size, &bytes)) return NULL;
    bool huge = bytes >= HUGE_PAGE;
    void *block = NULL;
    if (posix_memalign(&block, huge ? HUGE_PAGE : MEMORY_ALIGNMENT, bytes) != 0) return NULL;
    if (huge) madvise(block, bytes, MADV_HUGEPAGE); /* a hint: it may be refused */
    clear(block, bytes);
    return block;
}

mneme_status memory_grow(void **array, size_t *capacity, size_t needed, size_t size,
                         const char *what, mneme_error *error) {
    if (needed <= *capacity) return MNEME_OK;
    size_t grown = *capacity < 16 ? 16 : *capacity * 2;
    if (grown < needed) grown = needed;
    size_t bytes;
    if (!size_multiply(grown, size, &bytes)) return error_set_memory(error, what);
    void *moved = realloc(*array, bytes);
    if (moved == NULL) return error_set_memory(error, what);
    *array = moved;
    *capacity = grown;
    return MNEME_OK;
}

bool arena_reserve(struct arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (!rounded_bytes(count, size, &bytes)) return false;
    return !__builtin_add_overflow(arena->size, bytes, &arena->size);
}

mneme_status arena_open(struct arena *arena, const char *what, mneme_error *error) {
    arena->base = memory_allocate(arena->size, 1);
    arena->used = 0;
    return arena->base == NULL ? error_set_memory(error, what) : MNEME_OK;
}

void *arena_take(struct arena *arena, size_t count, size_t size) {
    size_t bytes = 0;
    bool fits = rounded_bytes(count, size, &bytes);
    assert(fits && bytes <= arena->size - arena->used);
    (void)fits;
    void *piece = arena->base + arena->used;
    arena->used += bytes;
    return piece;
}

void arena_close(struct arena *arena) {
    free(arena->base);
    *arena = (struct arena){0};
}
