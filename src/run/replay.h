#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include "run/finetuning.h"
#include "run/pretraining.h"
#include "run/stage.h"
#include "run/trail.h"

/* Repeating the steps of a stage of a run folder that holds them already; the folder is only
 * read. */
struct replay {
    struct experiment *experiment;
    struct stage stage;
    struct background background;
    struct pretraining pretraining;
    struct finetuning finetuning;
};

/* Ready to repeat what follows `steps` steps or fewer: replay_steps tells. A finetuning begins at
 * its first step, from the folder's base model and background. */
mneme_status replay_open(struct replay *replay, struct experiment *experiment,
                         const struct stage *stage, size_t steps, mneme_error *error);
/* Does nothing to {0}. */
void replay_close(struct replay *replay);

/* Steps done so far. */
size_t replay_steps(const struct replay *replay);

/* One step. A finetuning that diverges here is MNEME_FAILED. */
mneme_status replay_step(struct replay *replay, struct trail_line *line, mneme_error *error);

/* What the stage's passes and updates leave their copies in from now on; NULL: nowhere. */
void replay_record(struct replay *replay, struct recorder *recorder);

/* FOLDER/trail.jsonl of the stage; malloc'ed, NULL without memory. */
char *replay_trail_path(const char *directory, const struct stage *stage);

/* The stage of that name in the recipe; MNEME_BAD_INPUT, listing the names, if there is none. */
mneme_status replay_find_stage(const struct recipe *recipe, const char *name, struct stage *stage,
                               mneme_error *error);

#endif
