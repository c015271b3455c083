#ifndef NN_ELEMENTWISE_H
#define NN_ELEMENTWISE_H

#include <stddef.h>

/* The element by element kernels of simd/, over all threads. Arrays hold n floats. */

/* y += x */
void elementwise_add(size_t n, const float *x, float *y);
/* y *= a */
void elementwise_scale(size_t n, float a, float *y);
/* y = silu(a) * b; the SwiGLU of a feed-forward layer and the gate of a Memory+ layer. */
void elementwise_silu_multiply(size_t n, const float *a, const float *b, float *y);
/* da, db from dy; they may be a, b or dy. */
void elementwise_silu_multiply_backward(size_t n, const float *a, const float *b, const float *dy,
                                        float *da, float *db);

#endif
