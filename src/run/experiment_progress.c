#include "run/experiment.h"

#include <stdarg.h>
#include <stdio.h>

void experiment_tell(const struct experiment *experiment, const mneme_progress *progress) {
    if (experiment->progress != NULL) experiment->progress(progress, experiment->user);
}

void experiment_progress(const struct experiment *experiment, const char *stage, const char *unit,
                         size_t done, size_t total, size_t tokens, const float *loss) {
    const mneme_progress progress = {.stage = stage,
                                     .unit = unit,
                                     .done = done,
                                     .total = total,
                                     .tokens = tokens,
                                     .has_loss = loss != NULL,
                                     .loss = loss == NULL ? 0.0f : *loss};
    experiment_tell(experiment, &progress);
}

void experiment_warn(const struct experiment *experiment, const char *format, ...) {
    char line[sizeof((mneme_error *)NULL)->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    const mneme_progress progress = {.stage = "", .unit = "", .warning = line};
    experiment_tell(experiment, &progress);
}
