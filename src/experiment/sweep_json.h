#ifndef EXPERIMENT_SWEEP_JSON_H
#define EXPERIMENT_SWEEP_JSON_H

#include "experiment/sweep_result.h"

/* Writes sweep.json: the comparison's rows, and every cell. */
mneme_status sweep_json_write(const struct sweep_result *result, const char *directory,
                              mneme_error *error);

#endif
