#ifndef NN_ONEDNN_H
#define NN_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/matrix.h"

/* Matrix products by oneDNN's primitives, for nn/matmul.c. A primitive is made once for each
 * shape and kept, and right operands can be packed once into the layout that oneDNN prefers. All
 * fail cleanly in a build without the library. One caller at a time. */

/* "onednn 2.6.3", or NULL in a build without it. */
const char *onednn_version(void);

bool onednn_open(void);
void onednn_close(void);
bool onednn_is_open(void);

/* C = A B, or += ; false, with C untouched, for an empty product, which oneDNN refuses, or when
 * memory is short. */
bool onednn_matmul(size_t m, size_t n, size_t k, const struct matrix *a, const struct matrix *b,
                   float *c, size_t c_stride, bool accumulate);

/* Floats of B [k, n] in oneDNN's layout; 0 when it has none. */
size_t onednn_packed_size(size_t k, size_t n);
/* False without memory. */
bool onednn_pack(size_t k, size_t n, const struct matrix *b, void *packed);

#endif
