#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include "run/finetuning.h"
#include "run/pretraining.h"

/* Repeating the steps of a stage of a run folder that holds them already; the folder is only
 * read. */
struct replay {
    struct experiment *experiment;
    struct stage stage;
    struct trail_text trail; /* of the stage, as recorded */
    struct background background;
    struct pretraining pretraining;
    struct teaching teaching;
};

/* Reads the stage's trail; that in `folder`, or in the stage's own when it is NULL. */
mneme_status replay_open(struct replay *replay, struct experiment *experiment,
                         const struct stage *stage, const char *folder, mneme_error *error);
/* Makes ready to repeat what follows `steps` steps or fewer: replay_steps tells. A finetuning
 * begins at its first step, from the folder's base model and background. */
mneme_status replay_begin(struct replay *replay, size_t steps, mneme_error *error);
/* Does nothing to {0}. */
void replay_close(struct replay *replay);

/* Steps done so far. */
size_t replay_steps(const struct replay *replay);

/* One step. *found becomes its line as a trail holds it when that is not what is recorded, and
 * otherwise NULL; free it. A finetuning that diverges here is MNEME_FAILED. */
mneme_status replay_step(struct replay *replay, struct trail_line *line, char **found,
                         mneme_error *error);

/* Makes the model what the stage left after its last step. */
mneme_status replay_finish(struct replay *replay, mneme_error *error);

/* Where passes and updates leave copies from now on; NULL: nowhere. */
void replay_record(struct replay *replay, struct recorder *recorder);

/* The stage of that name in the recipe; MNEME_BAD_INPUT, listing the names, if there is none. */
mneme_status replay_find_stage(const struct recipe *recipe, const char *name, struct stage *stage,
                               mneme_error *error);

#endif
