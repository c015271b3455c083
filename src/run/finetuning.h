#ifndef RUN_FINETUNING_H
#define RUN_FINETUNING_H

#include "folder/stage.h"
#include "method/teaching.h"
#include "run/experiment.h"
#include "run/scores.h"
#include "run/trail.h"

/* The teaching that a stage stands for, ready for teaching_open. `background` is borrowed. */
struct teaching finetuning_of(struct experiment *experiment, const struct stage *stage,
                              const struct background *background);

/* One step of a teaching, and what is to be said about it. On divergence *diverged and the failure
 * that says what was not finite, and the stream ends: loss or gradient, and then `steps` and
 * weights are as before, or a weight where its digest was due. */
mneme_status finetuning_step(struct teaching *teaching, struct trail_line *line, bool *diverged,
                             mneme_error *error);

struct finetuning_result {
    size_t steps;
    size_t trainable_parameters;  /* for smf: of one step, t * v_dim and the keys if they learn */
    struct divergence divergence; /* where the stream ended early */
    double seconds;               /* of the steps alone */
};

/* Teaches the lessons one after the other, from the base: each for steps_per_fact steps on batches
 * of `paraphrases` of its wordings, in an order drawn from the seed, the same for every method.
 * Leaves the model as it is then, and FOLDER/trail.jsonl with a line per step that was finite; with
 * finetune.evaluate_every also FOLDER/stream.jsonl (stream.h). */
mneme_status finetuning_run(struct experiment *experiment, const struct stage *stage,
                            const struct background *background, const char *folder,
                            struct finetuning_result *result, mneme_error *error);

#endif
