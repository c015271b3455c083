#include "base/rehearsal.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

static _Thread_local struct rehearsal *current;

void rehearsal_begin(struct rehearsal *rehearsal) {
    *rehearsal = (struct rehearsal){.outside = current};
    current = rehearsal;
}

void rehearsal_end(struct rehearsal *rehearsal) {
    assert(current == rehearsal);
    current = rehearsal->outside;
}

bool rehearsal_is_on(void) {
    return current != NULL;
}

static void note_peak(struct rehearsal *r) {
    r->peak = r->now;
    for (size_t i = 0; i < r->n_parts; i++) r->parts[i].at_peak = r->parts[i].now;
}

struct rehearsal *rehearsal_pause(void) {
    struct rehearsal *paused = current;
    current = NULL;
    return paused;
}

void rehearsal_go_on(struct rehearsal *paused) {
    current = paused;
}

void rehearsal_mark(struct rehearsal *rehearsal) {
    note_peak(rehearsal);
}

/* What has no line of its own any more goes to the last one. */
static struct rehearsal_part *part_of(struct rehearsal *r, const char *name) {
    for (size_t i = 0; i < r->n_parts; i++) {
        if (strcmp(r->parts[i].name, name) == 0) return &r->parts[i];
    }
    if (r->n_parts == REHEARSAL_PARTS) return &r->parts[REHEARSAL_PARTS - 1];
    r->parts[r->n_parts] = (struct rehearsal_part){.name = name};
    return &r->parts[r->n_parts++];
}

void rehearsal_add(const char *name, size_t bytes) {
    if (current == NULL) return;
    part_of(current, name)->now += bytes;
    current->now += bytes;
    if (current->now > current->peak) note_peak(current);
}

size_t rehearsal_take(const char *name, size_t bytes) {
    if (current == NULL) return 0;
    struct rehearsal_part *part = part_of(current, name);
    if (bytes > part->now) bytes = part->now;
    part->now -= bytes;
    current->now -= bytes;
    return bytes;
}

void *rehearsal_reserve(size_t bytes) {
    void *space = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space != MAP_FAILED) return space;
    if (current != NULL) current->refused += bytes;
    return NULL;
}

void rehearsal_release(void *space, size_t bytes) {
    munmap(space, bytes);
}

mneme_status rehearsal_stop(mneme_error *error) {
    if (current == NULL) return MNEME_OK;
    current->stopped = true;
    return error_set(error, MNEME_FAILED, "this is but a rehearsal");
}

mneme_status rehearsal_ends(mneme_status status) {
    if (current == NULL || !current->stopped) return status;
    current->stopped = false;
    return MNEME_OK;
}
