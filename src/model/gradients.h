#ifndef MODEL_GRADIENTS_H
#define MODEL_GRADIENTS_H

#include "base/memory.h"
#include "model/parameter.h"

/* Where a backward pass adds the gradients of the parameters that train. {0}: all are frozen. */
struct gradients {
    size_t n;
    float **arrays; /* [n] by the parameters' numbers; NULL: frozen */
    /* Of an embedding that is the output too, NULL where there is none that trains: the output's
     * share, a chain of its own, so that micro-batches continue both. */
    const struct parameter *tied;
    float *tied_output; /* [vocab_size, dim] */
    struct arena arena;
};

/* Makes zero gradients for the listed parameters of a model or of adapters. Value tables are laid
 * out as in the model, one after the other. Nothing is allocated for an empty list. */
mneme_status gradients_open(struct gradients *gradients, size_t n, struct parameter *const *trained,
                            mneme_error *error);
void gradients_close(struct gradients *gradients);

/* [parameter's shape], or NULL: it is frozen. */
float *gradient_of(const struct gradients *gradients, const struct parameter *parameter);

/* Once all micro-batches are through: adds the output's share to the tied embedding's gradient. */
void gradients_join_tied(struct gradients *gradients);

#endif
