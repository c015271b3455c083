#ifndef MNEME_MATMUL_H
#define MNEME_MATMUL_H

/* The choice of who computes dense matrix products: mneme's own kernels or oneDNN. */

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Chooses for the whole process. "canonical": mneme's kernels, by the arithmetic contract, with the
 * same bits everywhere; a process starts with these. "onednn": oneDNN, for comparing speed and
 * results. Its bits depend on CPU, threads and library, and everything made with it is marked as
 * not canonical. Call this while nothing else of the library is in use, and before
 * mneme_generator_open. mneme_run follows its recipe (key `matmul`) and leaves the process
 * canonical. MNEME_BAD_INPUT for another name, or if this build has no oneDNN. */
MNEME_API mneme_status mneme_matmul_choose(const char *name, mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
