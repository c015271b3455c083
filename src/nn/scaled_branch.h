#ifndef NN_SCALED_BRANCH_H
#define NN_SCALED_BRANCH_H

#include <stddef.h>

/* A branch beside others, with one factor for all its elements: y [n, dim] += scale * x [n, dim],
 * each element one fma. A branch that gives nothing changes no bit of y: neither one whose scale is
 * 0, whatever x is, nor one whose x is +0. */
void scaled_branch_forward(size_t n, size_t dim, float scale, const float *x, float *y);

/* dx = scale * dy, and unless dscale is NULL *dscale += the dot products of dy and x, token by
 * token, ascending. dots [n] is scratch. */
void scaled_branch_backward(size_t n, size_t dim, float scale, const float *x, const float *dy,
                            float *dx, float *dots, float *dscale);

#endif
