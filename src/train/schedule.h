#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stddef.h>

/* Learning-rate schedules: a linear warmup to 1, then the named decay. */
enum schedule_kind {
    SCHEDULE_LINEAR,
    SCHEDULE_COSINE,
    SCHEDULE_INVERSE_SQRT,
    SCHEDULE_CONSTANT,
    SCHEDULE_COUNT
};

/* "linear", "cosine", "inverse_sqrt", "constant" */
extern const char *const schedule_names[SCHEDULE_COUNT];

/* s is the step, from 0; w the warmup; e is exp_factor. */
enum schedule_rule {
    SCHEDULE_OF_MNEME,  /* warmup (s + 1) / w; inverse_sqrt (w / max(s + 1, w))^e, where w is at
                           least 1; constant after a warmup as others */
    SCHEDULE_OF_LINGUA, /* warmup s / w, so that the first step has the factor 0; inverse_sqrt
                           max((w / s)^e, lr_min_ratio), which needs a warmup; constant without */
    SCHEDULE_RULE_COUNT
};

/* "mneme", "lingua" */
extern const char *const schedule_rule_names[SCHEDULE_RULE_COUNT];

struct schedule {
    enum schedule_kind kind;
    enum schedule_rule rule;
    size_t warmup;      /* steps */
    size_t steps;       /* all steps, warmup included */
    float lr_min_ratio; /* where linear and cosine end, as a fraction of the peak */
    float cosine_theta; /* cosine is that of pi x^cosine_theta / cycle_length, x the progress */
    float cycle_length;
    float exp_factor; /* of inverse_sqrt */
};

/* The factor of every group's learning rate at `step` (0-based), in [0, 1]. Canonical: the same
 * bits everywhere. */
float schedule_factor(const struct schedule *schedule, size_t step);

#endif
