#ifndef MODEL_PACKED_WEIGHTS_H
#define MODEL_PACKED_WEIGHTS_H

#include "base/error.h"
#include "base/memory.h"
#include "model/gradients.h"
#include "model/model.h"

/* A weight in the matrix products' own layout; NULL where it is not packed. */
struct packed_weight {
    void *forward;  /* of W^T [in, out], of the weight's type */
    void *backward; /* of W [out, in] */
    float *scored;  /* sub-keys with a norm: by key_norm_forward, which is what is packed */
};

/* Packed copies of the weights of a model that does not change while they are open: products then
 * need not pack them again for every batch. They change no bit. */
struct packed_weights {
    struct arena arena;
    struct packed_weight *weights; /* [n_parameters] */
    size_t forgotten;              /* in a rehearsal: bytes of the plain forms in files */
};

/* What is packed: every linear layer's weight and the sub-keys. */
struct packing {
    size_t first_layer;              /* from this layer on */
    size_t first_backward;           /* from this one on for the backward pass, too */
    const struct gradients *trained; /* but none that has a gradient here, unless it is NULL */
};

/* Packs nothing when the copies would take more than a quarter of the machine's memory. */
mneme_status packed_weights_open(struct packed_weights *packed, const struct model *model,
                                 const struct packing *packing, mneme_error *error);
void packed_weights_close(struct packed_weights *packed);

/* The packed forms of one of the model's parameters. */
struct packed_weight packed_weights_of(const struct packed_weights *packed,
                                       const struct parameter *parameter);

#endif
