#ifndef NN_SIGMOID_GATE_H
#define NN_SIGMOID_GATE_H

#include <stddef.h>

/* One gate per token: y [n, dim] = s x with s = 1 / (1 + exp(-gate)), gate [n], x [n, dim]. */
void sigmoid_gate_forward(size_t n, size_t dim, const float *gate, const float *x, float *y);

/* dgate [n] = s (1 - s) (dy . x), a canonical dot product; dx [n, dim] = s dy, which may
 * be dy. */
void sigmoid_gate_backward(size_t n, size_t dim, const float *gate, const float *x, const float *dy,
                           float *dgate, float *dx);

#endif
