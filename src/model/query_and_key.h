#ifndef MODEL_QUERY_AND_KEY_H
#define MODEL_QUERY_AND_KEY_H

#include "model/pass.h"

/* Queries and keys of layer l: a linear layer, a norm of each head where the model has one, and
 * RoPE. */

/* q and k of the layer's activations, from its `normed`. */
void query_and_key_forward(struct pass *pass, size_t l, const struct batch *batch);

/* From the gradients d_q [tokens, heads, head_dim] and scratch.d_k, both of which are overwritten:
 * scratch.d_normed, and the gradients of the parameters that train. */
void query_and_key_backward(struct pass *pass, struct gradients *gradients, size_t l,
                            const struct batch *batch, float *d_q);

#endif
