#ifndef PERF_COMMON_ONEDNN_MATMUL_H
#define PERF_COMMON_ONEDNN_MATMUL_H

#include <stdbool.h>
#include <stddef.h>

/* A matrix product by oneDNN's matmul primitive: C[m, n] = A[m, k] B[k, n], or += with accumulate.
 * A primitive for these sizes and layouts is made once. With packed_b oneDNN chooses B's layout,
 * and B is brought into it once, as a layer whose weights do not change could keep it. */
struct onednn_matmul;

/* row-major arrays, or their transposes when so named: A is then stored [k, m], B [n, k]. NULL when
 * oneDNN refuses. */
struct onednn_matmul *onednn_matmul_open(size_t m, size_t n, size_t k, bool a_transposed,
                                         bool b_transposed, bool accumulate, bool packed_b,
                                         float *a, float *b, float *c);
void onednn_matmul_run(struct onednn_matmul *matmul);
void onednn_matmul_close(struct onednn_matmul *matmul);

#endif
