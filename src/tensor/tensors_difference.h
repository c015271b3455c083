#ifndef TENSOR_TENSORS_DIFFERENCE_H
#define TENSOR_TENSORS_DIFFERENCE_H

#include <mneme/diff.h>

/* Fills *difference, which is {0}, with what differs between two .safetensors files, or the
 * model.safetensors of two folders. mneme_tensors_difference_free frees it, after a failure too. */
mneme_status tensors_difference_find(const char *a, const char *b,
                                     mneme_tensors_difference *difference, mneme_error *error);

#endif
