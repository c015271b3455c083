#ifndef MODEL_KEY_NORM_H
#define MODEL_KEY_NORM_H

#include "model/gradients.h"
#include "model/model.h"

/* The sub-keys of a memory with qk_norm as queries are scored against them: each row k is
 * RMSNorm(k) * gain / sqrt(k_dim / 2), so that a score starts at sqrt(k_dim / 2) times a cosine. */

/* The gain of the norm of a layer's sub-keys; NULL: there is none, or `keys` are no sub-keys. */
const struct parameter *key_norm_of(const struct model *model, const struct parameter *keys);

/* The floats of `scored` below: the rows [keys, k_dim / 2], then the norm's factor of each. */
size_t key_norm_size(const struct parameter *keys);

void key_norm_forward(const struct model *model, const struct parameter *keys, float *scored);

/* The gradient of what is scored, which the gradient of `keys` holds, becomes that of the sub-keys;
 * that of the gain, if it trains, += one chain over the sub-keys, ascending. */
void key_norm_backward(const struct model *model, const struct gradients *gradients,
                       const struct parameter *keys, const float *scored);

#endif
