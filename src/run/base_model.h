#ifndef RUN_BASE_MODEL_H
#define RUN_BASE_MODEL_H

#include "run/experiment.h"

/* The weights that a training starts from, in experiment->model: drawn ones, or those of the
 * recipe's base, whose memory, if the recipe gives it one, starts as `model.memory.init` says. */
mneme_status base_model_begin(struct experiment *experiment, mneme_error *error);

/* The same but for a memory that is made from text; what it has then is not to be used. */
mneme_status base_model_read(struct experiment *experiment, mneme_error *error);

#endif
