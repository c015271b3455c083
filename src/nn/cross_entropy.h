#ifndef NN_CROSS_ENTROPY_H
#define NN_CROSS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/* A target that does not count. */
#define CROSS_ENTROPY_IGNORE (-1)

/* losses[i] = -log softmax(logits[i])[targets[i]] for logits [n, classes], 0 where ignored. With
 * scale != 0 the logits become their gradients, scale * (softmax - onehot), rows of ignored targets
 * zero. */
void cross_entropy(size_t n, size_t classes, float *logits, const int32_t *targets, float scale,
                   float *losses);

#endif
