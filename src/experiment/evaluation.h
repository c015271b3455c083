#ifndef EXPERIMENT_EVALUATION_H
#define EXPERIMENT_EVALUATION_H

#include "experiment/experiment.h"
#include "experiment/scores.h"

/* Asks the experiment's model, as it is now, all new facts and the recipe's share of the known
 * ones, greedily, and reads it the held-out skill texts. `stage` names the work for the progress
 * callback. With answers_path, every question, its answers and what the model said are written
 * there as JSON lines. */
mneme_status evaluation_run(const struct experiment *experiment, const char *stage,
                            const char *answers_path, struct scores *scores, mneme_error *error);

#endif
