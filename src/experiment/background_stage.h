#ifndef EXPERIMENT_BACKGROUND_STAGE_H
#define EXPERIMENT_BACKGROUND_STAGE_H

#include "experiment/experiment.h"
#include "smf/background.h"

/* Opens *background from `background.safetensors` in the run folder, or counts it with the
 * experiment's model over batches of pretraining text and leaves it there. */
mneme_status background_stage_run(const struct experiment *experiment,
                                  struct background *background, mneme_error *error);

/* From `background.safetensors`, which must be there. */
mneme_status background_stage_load(const struct experiment *experiment,
                                   struct background *background, mneme_error *error);

/* Counts it, and leaves nothing in the folder. */
mneme_status background_stage_count(const struct experiment *experiment,
                                    struct background *background, mneme_error *error);

#endif
