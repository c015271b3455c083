#ifndef NN_ROPE_H
#define NN_ROPE_H

#include <stddef.h>
#include <stdint.h>

/* Rotary position embedding on interleaved pairs (2i, 2i+1), angle position * theta^(-2i/head_dim).
 *
 * Fills cosine and sine [n_positions, head_dim] in the layout that the rotation kernel reads: each
 * cosine twice, and (-sin, sin). Canonical functions only. */
void rope_table(size_t n_positions, size_t head_dim, float theta, float *cosine, float *sine);

/* Rotates x [n, heads, head_dim] in place, token i by positions[i]; direction +1 for the forward
 * pass and -1 for the backward pass. */
void rope_apply(size_t n, size_t heads, size_t head_dim, const int32_t *positions,
                const float *cosine, const float *sine, float direction, float *x);

#endif
