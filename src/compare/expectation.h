#ifndef COMPARE_EXPECTATION_H
#define COMPARE_EXPECTATION_H

#include "compare/result.h"

/* Compares a run's digests with a file like data/expected/tiny.json: {"result", "base", and one
 * per method, null for one whose every cell diverged}. MNEME_FAILED, naming the first that differs,
 * when they are not the same. */
mneme_status expectation_check(const char *path, const struct result *result, mneme_error *error);

#endif
