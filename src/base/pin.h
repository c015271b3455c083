#ifndef BASE_PIN_H
#define BASE_PIN_H

#include "base/error.h"

/* Threads that stay on their CPUs. */

/* Pins thread i of every OpenMP team to a CPU of its own among those that the process may use;
 * threads share a core only when there are no free cores. MNEME_BAD_INPUT for fewer CPUs than
 * threads. */
mneme_status pin_threads(mneme_error *error);

/* The CPU of each thread, "0,2,1,3"; "" when no threads were pinned. */
const char *pin_list(void);

#endif
