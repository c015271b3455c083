#ifndef NN_MATMUL_BACKEND_H
#define NN_MATMUL_BACKEND_H

#include <stdbool.h>

#include "base/error.h"

/* The choice of who computes the dense products of matmul(): our kernels, by rule 2 of
 * docs/arithmetic.md, or oneDNN, for comparing speed and results. oneDNN's bits depend on its
 * version and the CPU, so everything made with it is marked as not canonical. matmul_serial, and
 * with it attention and product-key lookup, always uses our kernels. */
enum matmul_backend { MATMUL_CANONICAL, MATMUL_ONEDNN };

/* "canonical", "onednn" in the order of the enumeration; for choosing by name. */
extern const char *const matmul_backend_names[2];

/* Chooses for the whole process, while no product runs and no packed operand exists. A process
 * starts canonical. MNEME_BAD_INPUT, and canonical, if this build has no oneDNN. */
mneme_status matmul_backend_choose(enum matmul_backend backend, mneme_error *error);

/* "onednn 2.6.3" when results are not canonical, otherwise NULL. */
const char *matmul_backend_mark(void);

#endif
