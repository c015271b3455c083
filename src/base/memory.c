#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/rehearsal.h"

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

/* As a rehearsal calls it. */
#define SCRATCH "scratch"

static void *allocate(size_t count, size_t size) {
    size_t bytes;
    if (!rounded_bytes(count, size, &bytes)) return NULL;
    bool huge = bytes >= HUGE_PAGE;
    void *block = NULL;
    if (posix_memalign(&block, huge ? HUGE_PAGE : MEMORY_ALIGNMENT, bytes) != 0) return NULL;
    if (huge) madvise(block, bytes, MADV_HUGEPAGE); /* a hint: it may be refused */
    return block;
}

void *memory_allocate_scratch(size_t count, size_t size) {
    size_t bytes;
    void *block = allocate(count, size);
    if (block != NULL && rounded_bytes(count, size, &bytes)) rehearsal_add(SCRATCH, bytes);
    return block;
}

void memory_free_scratch(void *scratch, size_t count, size_t size) {
    size_t bytes;
    if (scratch != NULL && rounded_bytes(count, size, &bytes)) rehearsal_take(SCRATCH, bytes);
    free(scratch);
}

void *memory_allocate(size_t count, size_t size) {
    size_t bytes;
    void *block = allocate(count, size);
    if (block != NULL && rounded_bytes(count, size, &bytes)) clear(block, bytes);
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

size_t arena_bytes(size_t n, const struct arena_piece *pieces) {
    size_t total = 0, bytes;
    for (size_t i = 0; i < n; i++) {
        if (!rounded_bytes(pieces[i].count, pieces[i].size, &bytes) ||
            __builtin_add_overflow(total, bytes, &total)) {
            return SIZE_MAX;
        }
    }
    return total;
}

static mneme_status lay_out(struct arena *arena, void *(*make)(size_t count, size_t size), size_t n,
                            const struct arena_piece *pieces, const char *what,
                            mneme_error *error) {
    *arena = (struct arena){.size = arena_bytes(n, pieces)};
    if (n == 0) return MNEME_OK;
    if (rehearsal_is_on()) arena->reserved = what;
    arena->base = rehearsal_is_on() ? rehearsal_reserve(arena->size) : make(arena->size, 1);
    if (arena->base == NULL) return error_set_memory(error, what);
    if (arena->reserved != NULL) rehearsal_add(what, arena->size);
    unsigned char *next = arena->base;
    for (size_t i = 0; i < n; i++) {
        memcpy(pieces[i].place, &next, sizeof next);
        next += arena_bytes(1, &pieces[i]);
    }
    return MNEME_OK;
}

mneme_status arena_layout(struct arena *arena, size_t n, const struct arena_piece *pieces,
                          const char *what, mneme_error *error) {
    return lay_out(arena, memory_allocate, n, pieces, what, error);
}

mneme_status arena_layout_scratch(struct arena *arena, size_t n, const struct arena_piece *pieces,
                                  const char *what, mneme_error *error) {
    return lay_out(arena, memory_allocate_scratch, n, pieces, what, error);
}

void arena_close(struct arena *arena) {
    if (arena->base != NULL && arena->reserved != NULL) {
        rehearsal_take(arena->reserved, arena->size);
        rehearsal_release(arena->base, arena->size);
    } else {
        free(arena->base);
    }
    *arena = (struct arena){0};
}
