#ifndef MNEME_PROFILE_H
#define MNEME_PROFILE_H

/* Where the time of calls goes, per kernel and per layer of a model; and threads pinned to CPUs,
 * which makes times comparable. Neither changes any result. */

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts counting, from zero, what the library does for the calling thread. There is one profile at
 * a time; calls by other threads are not counted. */
MNEME_API void mneme_profile_start(void);

/* Stops counting, measures the machine (about a second) and reports calls, seconds, GFLOP/s, GB/s
 * and the share of what the machine could do. *table becomes text for a terminal; free it with
 * free(). `file`, unless NULL, gets the same as JSON. If gnuplot is installed, a roofline plot goes
 * beside it, with .svg and .gnuplot for .json. */
MNEME_API mneme_status mneme_profile_finish(const char *file, char **table, mneme_error *error);

/* Pins every OpenMP thread to a CPU of its own among those that the process may use. Threads share
 * a core only when there are no free cores. MNEME_BAD_INPUT if there are fewer CPUs than threads.
 */
MNEME_API mneme_status mneme_pin_threads(mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
