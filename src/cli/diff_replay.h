#ifndef CLI_DIFF_REPLAY_H
#define CLI_DIFF_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include <mneme/diff.h>

#include "cli/arguments.h"

/* Finding the first tensor in which two runs differ, by replaying both. */

struct diff_side {
    const char *directory;
    const char *engine;    /* a mneme program that replays this side; NULL: this one */
    size_t different_step; /* the first step in which the replay is not what the trail says; 0: none
                            */
};

struct diff_replay {
    struct diff_side a, b;
    const struct texts *overrides;
    const char *stage;
    size_t step;                      /* the first one in which the replays differ; 0: they agree */
    mneme_tensors_difference tensors; /* of that step */
};

/* The trails differ at `step` and agree at `common` < step. A difference may be older than the
 * first loss that shows it (a value row that was not read again): steps between are searched.
 * Free with mneme_tensors_difference_free(&replay->tensors). */
mneme_status diff_replay_run(struct diff_replay *replay, size_t common, size_t step,
                             mneme_error *error);

#endif
