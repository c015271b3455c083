#ifndef EXPERIMENT_FINETUNING_H
#define EXPERIMENT_FINETUNING_H

#include "experiment/experiment.h"
#include "smf/background.h"

enum method { METHOD_FULL, METHOD_LORA, METHOD_SMF, METHOD_COUNT };

/* "full", "lora", "smf" */
const char *method_name(enum method method);
const struct recipe_method *method_recipe(const struct recipe *recipe, enum method method);

struct finetuning_result {
    size_t steps;
    size_t trainable_parameters; /* for smf: of one step, t * v_dim */
    bool diverged;               /* a loss or gradient was not finite; the stream ended there */
    size_t n_facts;              /* taught before that */
};

/* Teaches the new facts one after the other, from the base: each for steps_per_fact steps on
 * batches of `paraphrases` of its wordings, in an order drawn from the seed, the same for every
 * method. Leaves the model as it is then (adapters merged), and FOLDER/trail.jsonl with a line per
 * step. `background` is for smf alone. */
mneme_status finetuning_run(struct experiment *experiment, enum method method, float lr,
                            const struct background *background, const char *stage,
                            const char *folder, struct finetuning_result *result,
                            mneme_error *error);

#endif
