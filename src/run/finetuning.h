#ifndef RUN_FINETUNING_H
#define RUN_FINETUNING_H

#include "model/adapter.h"
#include "model/batch_builder.h"
#include "model/memory_inputs.h"
#include "run/experiment.h"
#include "run/stage.h"
#include "run/trail.h"
#include "smf/background.h"
#include "smf/sparse_step.h"
#include "train/optimizer.h"

/* A finetuning under way: the parts that its method needs. */
struct finetuning {
    struct experiment *experiment;
    enum method method;
    float lr;
    size_t steps; /* done */
    struct workspace workspace;
    struct batch_builder builder;
    uint32_t *order; /* of a lesson's wordings */
    uint32_t *texts; /* [paraphrases] the batch's wordings */
    /* smf with frozen keys: what the memory layer gets from all wordings of a lesson. */
    bool keeps_inputs;
    struct memory_inputs inputs;
    size_t inputs_lesson; /* whose they are; SIZE_MAX before the first */
    struct optimizer optimizer;
    struct adapter_set adapters;
    struct sparse_stepper stepper;
    size_t lowest_layer;
};

/* From the base, which the experiment keeps. `background` is for smf alone and is borrowed. */
mneme_status finetuning_open(struct finetuning *finetuning, struct experiment *experiment,
                             const struct stage *stage, const struct background *background,
                             mneme_error *error);
/* Does nothing to {0}. */
void finetuning_close(struct finetuning *finetuning);

/* The steps of the whole stream: steps_per_fact for every lesson. */
size_t finetuning_n_steps(const struct finetuning *finetuning);

/* One step, and what is to be said about it. *diverged when loss or gradient were not finite; the
 * parameters and `steps` are then as before, and the stream ends. */
mneme_status finetuning_step(struct finetuning *finetuning, struct trail_line *line, bool *diverged,
                             mneme_error *error);

/* After the last step: the adapters, if there are any, become part of the model. */
mneme_status finetuning_finish(struct finetuning *finetuning, mneme_error *error);

struct finetuning_result {
    size_t steps;
    size_t trainable_parameters; /* for smf: of one step, t * v_dim and the keys if they learn */
    bool diverged;               /* a loss or gradient was not finite; the stream ended there */
    double seconds;              /* of the steps alone */
};

/* Teaches the lessons one after the other, from the base: each for steps_per_fact steps on batches
 * of `paraphrases` of its wordings, in an order drawn from the seed, the same for every method.
 * Leaves the model as it is then, and FOLDER/trail.jsonl with a line per step; with
 * finetune.evaluate_every also FOLDER/stream.jsonl (stream.h). */
mneme_status finetuning_run(struct experiment *experiment, const struct stage *stage,
                            const struct background *background, const char *folder,
                            struct finetuning_result *result, mneme_error *error);

#endif
