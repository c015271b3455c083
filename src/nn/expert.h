#ifndef NN_EXPERT_H
#define NN_EXPERT_H

#include <stddef.h>
#include <stdint.h>

#include "nn/row_table.h"

/* The experts of PEER (He 2024, arXiv 2407.04153): slot s is a network of one hidden unit,
 * gelu(u[s] . x) v[s], and a token's output is the weighted sum of those that it reads. Both
 * ends are in nn/memory_values.h; this is the part between them. Arrays are [n, n_reads] with
 * n_reads = heads * knn, unless said otherwise. */

/* hidden = u[slot] . x with the table u [n_slots, dim] and x [n, dim] (canonical dot products);
 * expert_weights = gelu(hidden) * weights, with which the rows of v are to be summed. */
void expert_forward(size_t n, size_t n_reads, size_t dim, const int32_t *slots,
                    const float *weights, const struct row_table *u, const float *x, float *hidden,
                    float *expert_weights);

/* From d_weights, the gradient of expert_weights: d_hidden = d_weights * weights * gelu'(hidden),
 * and d_weights := d_weights * gelu(hidden), the gradient of weights. */
void expert_backward(size_t n, size_t n_reads, const float *weights, const float *hidden,
                     float *d_weights, float *d_hidden);

#endif
