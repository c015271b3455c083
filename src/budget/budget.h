#ifndef BUDGET_BUDGET_H
#define BUDGET_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rehearsal.h"
#include "budget/machine_room.h"
#include "profile/roof.h"

/* What something will take, stage by stage: found by opening each stage in a rehearsal
 * (base/rehearsal.h), and by counting its operations. */

struct budget_stage {
    char name[96];
    size_t memory; /* at its peak, with the process and its texts */
    size_t n_parts;
    struct rehearsal_part parts[REHEARSAL_PARTS]; /* at_peak, the largest first */
    double flops;
    double moved;        /* bytes that the optimizer and decoding move besides */
    double seconds;      /* an estimate, where the machine has been measured */
    size_t disk;         /* bytes that it writes and leaves */
    size_t scratch_disk; /* bytes that it needs besides for a while */
};

struct budget {
    struct budget_stage *stages; /* [n_stages] in order */
    size_t n_stages, capacity;
    struct machine_room room;
    struct rehearsal rehearsal; /* of what all stages share, and of the one that is opened */
    bool is_refused;            /* what was to be opened last did not even fit the address space */
    bool has_roof;
    struct machine_roof roof;
};

/* Work and files of a stage. */
struct stage_needs {
    double flops, moved;
    size_t disk, scratch_disk;
};

/* Begins a rehearsal, which budget_close ends; everything that was opened must be closed by then.
 * `folder` is where files go, or NULL. */
void budget_open(struct budget *budget, const char *folder);
/* Does nothing to {0}. */
void budget_close(struct budget *budget);

/* What the process has now is counted as its own: call it when texts and tokenizer are open. */
void budget_note_process(struct budget *budget, const char *folder);

/* Takes `status`, of what was opened and closed since the last call, as a stage with the
 * rehearsal's peak. A failure because there is not even room to reserve is no failure: the stage
 * has what it wanted. */
mneme_status budget_add(struct budget *budget, mneme_status status, const struct stage_needs *needs,
                        mneme_error *error, const char *format, ...) MNEME_PRINTF(5, 6);

/* Measures the machine and estimates the seconds of all stages; nothing where there is no memory to
 * measure it with. */
void budget_estimate(struct budget *budget);

size_t budget_peak(const struct budget *budget);
size_t budget_disk(const struct budget *budget);
bool budget_fits(const struct budget *budget);

/* Whether the environment has MNEME_OVERSIZE=1: nobody asks then whether it fits. */
bool budget_is_waived(void);
/* MNEME_FAILED, with the figures, for what does not fit. */
mneme_status budget_check(const struct budget *budget, const char *what, mneme_error *error);

#endif
