#ifndef BASE_REHEARSAL_H
#define BASE_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Finding out how much memory something takes by opening it without filling it: while a rehearsal
 * is on, arenas are reserved and counted, but none of their pages is touched; files are not read
 * into them; and the first pass of a model over a batch ends what is rehearsed, as a failure that
 * rehearsal_ends turns into success. So the figures are those of the very code that allocates. */

#define REHEARSAL_PARTS 32

/* Bytes by what they are for, as arenas are named. */
struct rehearsal_part {
    const char *name;
    size_t now, at_peak;
};

struct rehearsal {
    struct rehearsal_part parts[REHEARSAL_PARTS];
    size_t n_parts;
    size_t now, peak;
    size_t refused;            /* bytes that the system did not even reserve */
    bool stopped;              /* a pass was to be made */
    struct rehearsal *outside; /* the one that was on before */
};

/* From here on in the calling thread, until the end; or the one before goes on. */
void rehearsal_begin(struct rehearsal *rehearsal);
void rehearsal_end(struct rehearsal *rehearsal);

/* Nothing is rehearsed in between. */
struct rehearsal *rehearsal_pause(void);
void rehearsal_go_on(struct rehearsal *paused);

/* The peak begins anew, with what is there. */
void rehearsal_mark(struct rehearsal *rehearsal);

bool rehearsal_is_on(void);

/* Counts bytes; nothing unless a rehearsal is on. Names live as long as it. */
void rehearsal_add(const char *name, size_t bytes);
/* Takes them away, or as many as there are; how many. */
size_t rehearsal_take(const char *name, size_t bytes);

/* While one is on: address space that takes no memory until it is written to; NULL where even that
 * is refused. It goes back by rehearsal_release. */
void *rehearsal_reserve(size_t bytes);
void rehearsal_release(void *space, size_t bytes);

/* MNEME_FAILED while a rehearsal is on: what would be computed now is not. */
mneme_status rehearsal_stop(mneme_error *error);
/* The end of something that rehearsal_stop ended: MNEME_OK then, else the status. */
mneme_status rehearsal_ends(mneme_status status);

#endif
