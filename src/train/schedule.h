#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stddef.h>

/* Learning-rate schedules as in Meta Lingua: a linear warmup to 1, then the named decay. */
enum schedule_kind {
    SCHEDULE_LINEAR,
    SCHEDULE_COSINE,
    SCHEDULE_INVERSE_SQRT,
    SCHEDULE_CONSTANT,
    SCHEDULE_COUNT
};

/* "linear", "cosine", "inverse_sqrt", "constant" */
extern const char *const schedule_names[SCHEDULE_COUNT];

struct schedule {
    enum schedule_kind kind;
    size_t warmup;      /* steps */
    size_t steps;       /* all steps, warmup included */
    float lr_min_ratio; /* where linear and cosine end, as a fraction of the peak */
};

/* The factor of every group's learning rate at `step` (0-based), in [0, 1]. Canonical: the same
 * bits everywhere. */
float schedule_factor(const struct schedule *schedule, size_t step);

#endif
