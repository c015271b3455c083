#ifndef TENSOR_VALUE_PAIR_H
#define TENSOR_VALUE_PAIR_H

#include <mneme/diff.h>

#include "tensor/tensor.h"

/* Two elements of a type, from their bytes. */
mneme_value_pair value_pair(enum tensor_type type, const void *a, const void *b);

#endif
