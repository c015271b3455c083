#ifndef MODEL_MEMORY_LAYER_H
#define MODEL_MEMORY_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "model/pass.h"

/* A product-key memory layer (Berges et al. 2024, arXiv 2412.09764) in each of its forms. x is the
 * layer's normed input, [n, dim], in the activations' ffn_normed; slots and weights are the
 * lookup's, over all heads. What is read:
 *
 * - product keys: read = sum weight * values[slot]
 * - PEER (He 2024, arXiv 2407.04153):
 *   read = sum weight * gelu(values_u[slot] . x) * values_v[slot]
 *
 * What comes out of it:
 *
 * - Memory+: out = value_proj(read * silu(swilu_projection(x)))
 * - without that projection: out = value_proj(read), or read
 * - gated: sigmoid(gating(x)) times that
 *
 * With qk_norm each half of each query, and each sub-key, goes through an RMSNorm before they are
 * scored.
 *
 * Beside a feed-forward network it is added to the stream times the layer's scale. */

/* The queries, and the sub-keys that they are scored against. */
void memory_layer_score(struct pass *pass, size_t l, size_t n);
/* The same, and finds slots and weights. False for a NaN score. */
bool memory_layer_lookup(struct pass *pass, size_t l, size_t n);
/* After the lookup: the sub-keys that the queries were scored against, [heads, 2, n_keys, k_dim /
 * 2]; the parameter itself but for a memory with qk_norm. */
const float *memory_layer_scored_keys(const struct pass *pass, size_t l);
/* After the lookup, or with its slots and weights from elsewhere: out [n, dim]. */
void memory_layer_read(struct pass *pass, size_t l, size_t n, float *out);

/* From scratch.d_stream [n, dim], the gradient of the stream that `out` joined: the gradient of the
 * read, left in activations.d_reads, and of PEER's products, left in activations.d_expert_hidden,
 * and the gradients of value_proj and scale where they train. Unless it ends at the values all
 * other gradients of the memory's parameters too; and if it is whole the gradient of x, which
 * scratch.d_normed becomes, or gets added where there is a feed-forward network too. */
void memory_layer_backward(struct pass *pass, struct gradients *gradients, size_t l, size_t n,
                           enum backward_end end);

/* Once every memory layer's backward pass is done: adds to the gradients of the value tables, one
 * chain per row over (token, layer, head, rank). Nothing where they are frozen. */
void memory_values_gradients(struct pass *pass, struct gradients *gradients);

/* Once all micro-batches are through: with qk_norm, the gradients of sub-keys and of their norm's
 * gain from those of the scored sub-keys, which the chains of the backward passes added up. */
void memory_keys_gradients(const struct pass *pass, const struct gradients *gradients);

#endif
