#ifndef RUN_EVALUATION_H
#define RUN_EVALUATION_H

#include <stdio.h>

#include "run/experiment.h"
#include "run/scores.h"

/* Where a number of the model is not finite, both fail with MNEME_FAILED, saying which, and
 * scores->diverged.
 *
 * Asks the experiment's model, as it is now, all new facts and the recipe's share of the known
 * ones, greedily, and reads it the held-out skill texts and text. `stage` names the work for the
 * progress callback; NULL: it is not called. Unless `answers` is NULL, every question, its answers
 * and what the model said are written to it as JSON lines. */
mneme_status evaluation_run(const struct experiment *experiment, const char *stage, FILE *answers,
                            struct scores *scores, mneme_error *error);

/* The same in the middle of the stream: of the new facts the first n_taught alone, of the known
 * ones the first finetune.stream_questions. *recent_f1 is the F1 of the new facts from
 * first_recent on. */
mneme_status evaluation_of_stream(const struct experiment *experiment, size_t n_taught,
                                  size_t first_recent, struct scores *scores, double *recent_f1,
                                  mneme_error *error);

#endif
