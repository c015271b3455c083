#ifndef MNEME_MATMUL_H
#define MNEME_MATMUL_H

/* The choice of the library that computes dense matrix products. */

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "canonical": by the arithmetic contract, the same bits everywhere; the state at first.
 * "onednn": oneDNN's, for comparing speed and results. Their bits depend on CPU, threads and
 * library, and all that is made with them is marked as not canonical. Call it while nothing else of
 * the library is in use, before mneme_generator_open; mneme_run takes its recipe's (key `matmul`)
 * and ends canonical. MNEME_BAD_INPUT for another name, or when this build has no oneDNN. */
MNEME_API mneme_status mneme_matmul_choose(const char *name, mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
