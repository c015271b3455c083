#ifndef NN_MEMORY_VALUES_H
#define NN_MEMORY_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "nn/row_table.h"

/* Reading the value table of a memory layer: table [n_slots, v_dim], and per token n_reads = heads
 * * knn slots with weights, [n, n_reads]. Gradients of the table are a scatter of (slot, weight,
 * token) contributions: nn/row_scatter.h. */

/* read [n, v_dim] = chain over the token's reads, in order, of weight * table[slot, :]. */
void memory_values_forward(size_t n, size_t n_reads, size_t v_dim, const int32_t *slots,
                           const float *weights, const struct row_table *table, float *read);

/* dweights [n, n_reads] = dot(table[slot, :], dread[token, :]). */
void memory_values_backward_weights(size_t n, size_t n_reads, size_t v_dim, const int32_t *slots,
                                    const struct row_table *table, const float *dread,
                                    float *dweights);

#endif
