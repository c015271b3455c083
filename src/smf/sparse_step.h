#ifndef SMF_SPARSE_STEP_H
#define SMF_SPARSE_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "model/batch_reads.h"
#include "model/pass.h"
#include "smf/background.h"
#include "smf/slot_ranking.h"
#include "smf/sparse_adamw.h"

/* Sparse memory finetuning: a step changes the values of the t slots that rank highest for its
 * batch, and nothing else. No dense gradient of the values exists, and no backward pass below the
 * lowest memory layer is made. */

enum sparse_optimizer {
    SPARSE_SGD,
    SPARSE_SGD_POLYAK,  /* SGD with Polyak's step, which ends where the loss would be 0 were it
                         * straight:  lr * loss / sum of the squares of the chosen rows' gradients */
    SPARSE_ADAMW,       /* sparse_adamw_update */
    SPARSE_ADAMW_DENSE, /* sparse_adamw_update_dense */
    SPARSE_OPTIMIZER_COUNT
};

/* "sgd", "polyak", "adamw", "adamw-dense" */
extern const char *const sparse_optimizer_names[SPARSE_OPTIMIZER_COUNT];

/* What has t trainable slots. */
enum trainable_per {
    TRAINABLE_PER_MODEL, /* all tables together: one ranking of the slots of all */
    TRAINABLE_PER_TABLE, /* each table, as if there were no other: t of its own */
    TRAINABLE_PER_COUNT
};

/* "model", "table" */
extern const char *const trainable_per_names[TRAINABLE_PER_COUNT];

struct sparse_settings {
    size_t n_trainable; /* t; SLOTS_ALL does without */
    enum trainable_per trainable_per;
    enum slot_selection selection;
    uint64_t seed;    /* of SLOTS_RANDOM */
    size_t idf_power; /* of SLOTS_TF_IDF: 0 is 1 */
    enum sparse_optimizer optimizer;
    struct adamw_settings adamw; /* of SPARSE_ADAMW; clip is not used */
    float lr;
    float keys_lr; /* 0: keys are frozen; else all sub-keys that were read learn too, by SGD */
};

struct sparse_stepper {
    struct sparse_settings settings;
    struct model *model; /* that is changed; borrowed */
    /* Rankings and the slots of each: one, or one for every table. */
    size_t n_rankings, ranking_slots;
    struct slot_ranking rankings[MODEL_MAX_MEMORY_LAYERS];
    size_t room_per_ranking;                /* t, or all that a batch can read */
    size_t most_per_ranking;                /* the same, or fewer (sparse_stepper_limit) */
    size_t n_trainable;                     /* of all rankings together */
    size_t n_chosen;                        /* in the last step */
    size_t step;                            /* taken */
    struct row_scatter reads;               /* of the step's batch, by slot */
    struct ranked_slot *ranked;             /* [reads of a batch] */
    size_t *chosen;                         /* [n_trainable] which of the batch's slots */
    int32_t *slots;                         /* [n_trainable] their numbers */
    float *values;                          /* [n_trainable, v_dim] gradients of their rows */
    float *values_u;                        /* PEER: [n_trainable, v_dim] of values_u */
    size_t n_keys;                          /* memory layers whose keys learn: all or none */
    struct gradients keys;                  /* of these */
    struct sparse_adamw moments, moments_u; /* of values, and of values_u */
    struct arena arena;
};

struct sparse_step_result {
    float loss;      /* mean over the counted targets */
    size_t n_read;   /* different slots that the batch read */
    size_t n_chosen; /* slots chosen: t, or all read if fewer; of each table with its own t */
    bool diverged;   /* the failure is that a number was not finite */
};

/* max_tokens is the pass's. When keys learn, the pass must not have them packed. */
mneme_status sparse_stepper_open(struct sparse_stepper *stepper, struct model *model,
                                 const struct background *background,
                                 const struct sparse_settings *settings, size_t max_tokens,
                                 mneme_error *error);
void sparse_stepper_close(struct sparse_stepper *stepper);

/* From the next step on a ranking has t trainable slots, or as many as it was opened for if those
 * are fewer. */
void sparse_stepper_limit(struct sparse_stepper *stepper, size_t t);

/* Parameters that a step changes at most. */
size_t sparse_stepper_count(const struct sparse_stepper *stepper);

/* One step on the stepper's model, whose pass it is. With from_memory the pass is at the first
 * memory layer (memory_inputs_place) and goes on from there. MNEME_FAILED, and result->diverged,
 * when the loss, a gradient or a score is not finite; nothing has changed then. */
mneme_status sparse_step_run(struct sparse_stepper *stepper, struct pass *pass,
                             const struct batch *batch, bool from_memory,
                             struct sparse_step_result *result, mneme_error *error);

#endif
