#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "model/pass.h"
#include "train/optimizer.h"
#include "train/slot_usage.h"

/* One training step of a dense method (pretraining, full finetuning, LoRA). */

struct step_result {
    float loss;          /* mean over the counted targets of the whole batch */
    float gradient_norm; /* of all parameters; with CLIP_SEPARATE of all but the value tables */
    bool diverged;       /* it failed because a number was not finite */
};

/* Gradients of the mean loss over all micro-batches together, which continue each other's sums: the
 * bits are those of one large batch. Then one optimizer step, on the model of the pass or on its
 * adapters. What the extent does not reach is frozen. `usage` gets the reads,
 * unless it is NULL; the extent must reach the values then. MNEME_FAILED, and result->diverged,
 * when loss, gradient or a score is not finite; the parameters are then unchanged. */
mneme_status step_run(struct pass *pass, struct optimizer *optimizer,
                      const struct batch *micro_batches, size_t n_micro_batches,
                      struct backward_extent extent, float lr, float values_lr,
                      struct slot_usage *usage, struct step_result *result, mneme_error *error);

#endif
