#ifndef RUN_PRETRAINING_H
#define RUN_PRETRAINING_H

#include "model/batch_builder.h"
#include "run/experiment.h"
#include "run/trail.h"
#include "train/optimizer.h"
#include "train/text_order.h"

/* A pretraining under way. */
struct pretraining {
    struct experiment *experiment;
    const struct recipe_pretrain *recipe;
    struct optimizer optimizer;
    struct pass pass;
    struct backward_extent extent; /* of what is trained */
    struct batch_builder builder;
    struct text_order order;
    struct slot_usage usage;     /* {0} where it is not counted */
    size_t n_collapsed;          /* steps in a row, up to the last, whose routing had collapsed */
    bool has_warned;             /* of it */
    struct batch *micro_batches; /* [micro_batches] */
    size_t *starts;              /* their sequence starts, one after the other */
};

mneme_status pretraining_open(struct pretraining *pretraining, struct experiment *experiment,
                              mneme_error *error);
/* Does nothing to {0}. */
void pretraining_close(struct pretraining *pretraining);

/* What the steps read of the memory: counted where a base, text or frozen parts are trained with;
 * NULL elsewhere, as the runs that were there first have none. */
struct slot_usage *pretraining_usage(struct pretraining *pretraining);

/* What becomes of a checkpoint that is damaged, or contradicts the trail. */
enum damaged_checkpoint {
    DAMAGED_REFUSED,
    DAMAGED_PASSED_OVER, /* for an older good one, if there is one, and the user is told */
};

/* The state after at most `steps` steps: that of the last checkpoint not beyond them, or else the
 * initial one. optimizer.step tells. */
mneme_status pretraining_begin(struct pretraining *pretraining, size_t steps,
                               enum damaged_checkpoint damaged, mneme_error *error);

/* One step, and what is to be said about it. */
mneme_status pretraining_step(struct pretraining *pretraining, struct trail_line *line,
                              mneme_error *error);

/* The failure of a pretraining whose numbers are not finite, naming recipe, step and rates; *error
 * says which at first. */
mneme_status pretraining_diverged(const struct experiment *experiment, size_t step,
                                  mneme_error *error);

/* Leaves the pretrained model in experiment->model and in the folder `base` (config.json,
 * model.safetensors, tokenizer.json). Read from there if it is done; otherwise it goes on from
 * the last `pretrain/checkpoint-STEP.safetensors`; these are removed at the end unless the recipe
 * keeps them. `pretrain/trail.jsonl` has a line per step. */
mneme_status pretraining_run(struct experiment *experiment, mneme_error *error);

/* In a rehearsal: opens what its steps need, and closes it. */
mneme_status pretraining_rehearse(struct experiment *experiment, mneme_error *error);

/* The tokens a training pass over the recipe's batches may have. */
size_t pretraining_batch_tokens(const struct experiment *experiment);

#endif
