#ifndef NN_RMS_NORM_H
#define NN_RMS_NORM_H

#include <stddef.h>

/* y = x / sqrt(mean(x^2) + eps) * gain for each row of x [n, dim]; r [n] keeps the factors. */
void rms_norm_forward(size_t n, size_t dim, const float *x, const float *gain, float eps, float *y,
                      float *r);

/* dx [n, dim] is overwritten (it may be dy); dgain [dim] += over the rows, ascending, unless it is
 * NULL. */
void rms_norm_backward(size_t n, size_t dim, const float *x, const float *gain, const float *r,
                       const float *dy, float *dx, float *dgain);

#endif
