#ifndef SIMD_MATH_H
#define SIMD_MATH_H

/* The canonical scalar functions (rule 4): the same bits on every CPU. Errors at most 1.0 ULP.
 * Everything outside simd/ takes its exp, log, sin, cos and pow from here. */

float math_exp(float x);
float math_log(float x);
float math_sin(float x);
float math_cos(float x);
float math_pow(float x, float y);
/* Of figures that people read, as perplexities. */
double math_exp_double(double x);

#endif
