#ifndef RUN_BACKGROUND_STAGE_H
#define RUN_BACKGROUND_STAGE_H

#include "run/experiment.h"
#include "smf/background.h"

/* Which slots the experiment's model reads over batches of the texts that the recipe's
 * finetune.smf.background names: of pretraining, or the known questions with their answers. */

/* The file that keeps it: another one when it is of the known questions. */
struct path background_stage_path(const char *directory, const struct recipe_finetune *finetune);

/* Opens *background from its file, or counts it and leaves it there. */
mneme_status background_stage_run(const struct experiment *experiment,
                                  struct background *background, mneme_error *error);

/* From that file, which must be there. */
mneme_status background_stage_load(const struct experiment *experiment,
                                   struct background *background, mneme_error *error);

/* Counts it, and leaves nothing in the folder. */
mneme_status background_stage_count(const struct experiment *experiment,
                                    struct background *background, mneme_error *error);

#endif
