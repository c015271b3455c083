#ifndef MODEL_PROJECTION_H
#define MODEL_PROJECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "model/pass.h"

/* A linear layer of a model with all that may hang on it: packed weights, a bias (or NULL), a
 * low-rank adapter. */

/* y [n, out] = x [n, in] W^T + b, and the adapter's share if there is one. */
void projection_forward(struct pass *pass, size_t n, const struct parameter *weight,
                        const struct parameter *bias, const float *x, float *y);

/* Gradients of weight, bias and adapter where they train, and dx [n, in] (overwritten, or += with
 * accumulate) unless it is NULL. */
void projection_backward(struct pass *pass, struct gradients *gradients, size_t n,
                         const struct parameter *weight, const struct parameter *bias,
                         const float *x, const float *dy, float *dx, bool accumulate);

#endif
