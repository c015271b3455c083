#ifndef BASE_PIN_H
#define BASE_PIN_H

#include "base/error.h"

/* Threads that stay on their CPUs. */

/* Thread i of every OpenMP team stays on a CPU of its own from now on: the CPUs that the process
 * may use, one of every core before the second of any. MNEME_BAD_INPUT when they are fewer than the
 * threads. */
mneme_status pin_threads(mneme_error *error);

/* The CPUs thread by thread, "0,2,1,3"; "" when no threads were pinned. */
const char *pin_list(void);

#endif
