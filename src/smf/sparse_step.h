#ifndef SMF_SPARSE_STEP_H
#define SMF_SPARSE_STEP_H

#include <stddef.h>

#include "base/memory.h"
#include "model/pass.h"
#include "smf/background.h"
#include "smf/slot_ranking.h"

/* Sparse memory finetuning: a step changes the values of the t slots that rank highest for its
 * batch, by SGD, and nothing else. No dense gradient of the values exists, and no backward pass
 * below the lowest memory layer is made. */
struct sparse_stepper {
    const struct background *background;
    size_t n_trainable; /* t */
    float lr;
    struct ranked_slot *ranked; /* [reads of a batch] */
    size_t *counts;             /* [reads of a batch] */
    size_t *chosen;             /* [t] */
    float *gradients;           /* [t, v_dim] */
    float *gradients_u;         /* PEER: [t, v_dim] of values_u */
    struct arena arena;
};

struct sparse_step_result {
    float loss;      /* mean over the counted targets */
    size_t n_read;   /* different slots that the batch read */
    size_t n_chosen; /* slots changed: t, or all read if fewer */
};

/* max_tokens is the workspace's. */
mneme_status sparse_stepper_open(struct sparse_stepper *stepper, const struct model *model,
                                 const struct background *background, size_t n_trainable, float lr,
                                 size_t max_tokens, mneme_error *error);
void sparse_stepper_close(struct sparse_stepper *stepper);

/* One step. MNEME_FAILED when the loss or a gradient is not finite; nothing has changed then. */
mneme_status sparse_step_run(struct sparse_stepper *stepper, const struct model *model,
                             struct workspace *workspace, const struct batch *batch,
                             struct sparse_step_result *result, mneme_error *error);

#endif
