#ifndef TENSOR_NARROW_H
#define TENSOR_NARROW_H

#include <stdbool.h>

#include "simd/stored.h"

/* Floats rounded to 16 bits, as a file that is written in that type holds them: to the nearest,
 * ties to even, with infinities beyond the type's range; a NaN stays one, with its sign. */
uint16_t narrow_to_bf16(float x);
uint16_t narrow_to_f16(float x);

/* n floats as numbers of a type. */
void narrow_floats(enum stored_type as, size_t n, const float *from, void *to);

/* Whether widening the rounded numbers gives all n floats again, bit for bit. */
bool narrow_is_exact(enum stored_type as, size_t n, const float *from);

/* The first of n floats that is finite and is not when it is rounded, or n. */
size_t narrow_first_beyond(enum stored_type as, size_t n, const float *from);

#endif
