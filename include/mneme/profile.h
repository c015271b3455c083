#ifndef MNEME_PROFILE_H
#define MNEME_PROFILE_H

/* Where the time of calls goes: per kernel and per layer of a model. And threads that stay where
 * they are, without which times are hard to compare. Neither changes any result. */

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counts from now on what the calling thread lets the library do, from zero. There is one profile
 * at a time; what other threads call is not in it. */
MNEME_API void mneme_profile_start(void);

/* Ends counting, measures the machine (about a second) and tells what was found: calls, seconds,
 * GFLOP/s, GB/s and the share of what the machine could do. *table becomes text for a terminal,
 * to be freed with free(). `file`, unless it is NULL, becomes the same as JSON; beside it, with
 * .svg and .gnuplot for .json, a roofline plot where gnuplot is installed. */
MNEME_API mneme_status mneme_profile_finish(const char *file, char **table, mneme_error *error);

/* Every OpenMP thread stays on one CPU of those that the process may use, two on one core only
 * when there are no other cores. MNEME_BAD_INPUT when there are fewer CPUs than threads. */
MNEME_API mneme_status mneme_pin_threads(mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
