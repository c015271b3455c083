#ifndef EXPERIMENT_LOSS_LOG_H
#define EXPERIMENT_LOSS_LOG_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "train/step.h"

/* A line per training step: step, tokens, lr, loss and gradient norm, floats as decimals that read
 * back exactly. The same run writes the same bytes, however often it was cut and continued. */
struct loss_log {
    FILE *stream;
    char *path;
};

/* Opens the log for a run that continues after `steps` steps; lines of later steps, which an
 * interrupted run may have left, are cut off. */
mneme_status loss_log_open(struct loss_log *log, const char *path, size_t steps,
                           mneme_error *error);
mneme_status loss_log_add(struct loss_log *log, size_t step, size_t tokens, float lr,
                          const struct step_result *result, mneme_error *error);
mneme_status loss_log_flush(struct loss_log *log, mneme_error *error);
void loss_log_close(struct loss_log *log);

#endif
