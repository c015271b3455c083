#ifndef NN_LINEAR_H
#define NN_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/matmul.h"

/* y = x W^T + b with x [n, in], W [out, in], b [out] or NULL, y [n, out]. `packed` is W^T by
 * matmul_pack, of W's type, or NULL. */
void linear_forward(struct matmul_scratch *scratch, size_t n, size_t in, size_t out, const float *x,
                    struct stored weight, const void *packed, const float *bias, float *y);

/* dx [n, in] = dy W, or += with accumulate. `packed` is W by matmul_pack, or NULL. */
void linear_backward_input(struct matmul_scratch *scratch, size_t n, size_t in, size_t out,
                           const float *dy, struct stored weight, const void *packed, float *dx,
                           bool accumulate);

/* dW [out, in] += dy^T x: every element continues one chain over the tokens, ascending. */
void linear_backward_weight(struct matmul_scratch *scratch, size_t n, size_t in, size_t out,
                            const float *x, const float *dy, float *dweight);

/* db [out] += sum of dy over the tokens, ascending. */
void linear_backward_bias(size_t n, size_t out, const float *dy, float *dbias);

/* Low-rank adapter (Hu et al. 2021): y += scale * (x A^T) B^T with A [rank, in], B [out, rank].
 * hidden [n, rank] keeps scale * x A^T for the backward pass. */
void lora_forward(struct matmul_scratch *scratch, size_t n, size_t in, size_t out, size_t rank,
                  float scale, const float *x, const float *a, const float *b, float *hidden,
                  float *y);

/* da += , db += , and dx += unless it is NULL. dhidden [n, rank] is scratch. */
void lora_backward(struct matmul_scratch *scratch, size_t n, size_t in, size_t out, size_t rank,
                   float scale, const float *x, const float *a, const float *b, const float *hidden,
                   const float *dy, float *dhidden, float *da, float *db, float *dx);

/* W [out, in] += scale * B A: the adapter becomes part of the weight. scaled [rank, in] is
 * scratch. */
void lora_merge(struct matmul_scratch *scratch, size_t in, size_t out, size_t rank, float scale,
                const float *a, const float *b, float *scaled, float *weight);

#endif
