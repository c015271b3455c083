#ifndef NN_EMBEDDING_H
#define NN_EMBEDDING_H

#include <stddef.h>
#include <stdint.h>

#include "nn/row_scatter.h"
#include "simd/stored.h"

/* x [n, dim] = table[tokens[i], :]. */
void embedding_forward(size_t n, size_t dim, const int32_t *tokens, struct stored table, float *x);

/* dtable[token, :] += dx[i, :] over the positions of the token, ascending. `scatter` has room for
 * n contributions. */
void embedding_backward(struct row_scatter *scatter, size_t n, size_t vocab_size, size_t dim,
                        const int32_t *tokens, const float *dx, float *dtable);

#endif
