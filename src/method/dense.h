#ifndef METHOD_DENSE_H
#define METHOD_DENSE_H

#include "method/teaching.h"
#include "train/optimizer.h"

/* What full finetuning and LoRA share: AdamW over a list of parameters, with the betas, eps and
 * clipping of pretraining. */
struct dense {
    struct optimizer optimizer;
    struct backward_extent extent; /* of the trained part: no gradient is needed beyond it */
};

/* Takes the list, which is freed. */
mneme_status dense_open(struct dense *dense, const struct teaching *teaching, float weight_decay,
                        struct parameter **trained, size_t n_trained, mneme_error *error);
mneme_status dense_step(struct dense *dense, struct teaching *teaching, const struct batch *batch,
                        struct method_step *step, mneme_error *error);
size_t dense_n_trainable(const struct dense *dense);

#endif
