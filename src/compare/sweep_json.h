#ifndef COMPARE_SWEEP_JSON_H
#define COMPARE_SWEEP_JSON_H

#include "compare/sweep_result.h"

/* Writes sweep.json: the comparison's rows, and every cell. */
mneme_status sweep_json_write(const struct sweep_result *result, const char *directory,
                              mneme_error *error);

#endif
