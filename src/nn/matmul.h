#ifndef NN_MATMUL_H
#define NN_MATMUL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "nn/matrix.h"

/* Matrix products over the kernels of simd/, each element one chain over ascending k (rule 2 of
 * docs/arithmetic.md): the bits do not depend on blocking, packing or threads. With another backend
 * (nn/matmul_backend.h) matmul computes in whatever order that one takes. */

/* The numbers, of B's type, that matmul_pack writes for B [k, n], and the packing, by all threads.
 * It pays for a B that does not change and that many products share. The layout is the instruction
 * set's own, or the backend's; false when the backend has no memory. */
size_t matmul_packed_size(size_t k, size_t n);
bool matmul_pack(size_t k, size_t n, struct matrix b, void *packed);
/* The same for matmul_serial, which takes no other packing. */
size_t matmul_serial_packed_size(size_t k, size_t n);
void matmul_serial_pack(size_t k, size_t n, struct matrix b, void *packed);

/* Whether products can read a B of that type. */
bool matmul_reads(enum stored_type type);

/* Room for packed operands; one product at a time may use it. */
struct matmul_scratch {
    size_t n_threads;
    size_t row_block;  /* rows of a panel of A */
    size_t panel_size; /* floats of a thread's panels */
    float *panels;     /* [n_threads, panel_size] */
};

mneme_status matmul_scratch_open(struct matmul_scratch *scratch, mneme_error *error);
/* Less room, for products of at most `rows` rows, at least 1. */
mneme_status matmul_scratch_open_rows(struct matmul_scratch *scratch, size_t rows,
                                      mneme_error *error);
/* Less room, for matmul_serial only. */
mneme_status matmul_scratch_open_serial(struct matmul_scratch *scratch, mneme_error *error);
void matmul_scratch_close(struct matmul_scratch *scratch);

/* C[m, n] = A[m, k] B[k, n], or += with accumulate; A is f32, rows of C c_stride apart. matmul uses
 * all threads, matmul_serial the calling one. */
void matmul(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
            struct matrix b, float *c, size_t c_stride, bool accumulate);
void matmul_serial(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
                   struct matrix b, float *c, size_t c_stride, bool accumulate);

#endif
