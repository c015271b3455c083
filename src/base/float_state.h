#ifndef BASE_FLOAT_STATE_H
#define BASE_FLOAT_STATE_H

#include <fenv.h>
#include <stddef.h>

#include "base/error.h"

/* Rule 1 needs round to nearest and subnormals. A host program may have changed the rounding mode,
 * or been linked with -ffast-math, which flushes subnormals to zero. Every public function that
 * computes enters the contract's state on all OpenMP threads, and restores the host's. Where the
 * CPU cannot compute, or not as MNEME_ISA says, or OpenMP's threads cannot be started, entering
 * fails. */
struct float_state {
    size_t n_threads;
    fenv_t *saved; /* [n_threads] */
};

mneme_status float_state_enter(struct float_state *state, mneme_error *error);
/* Does nothing to a state that is {0}. */
void float_state_leave(struct float_state *state);

#endif
