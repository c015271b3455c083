#ifndef MNEME_INFO_H
#define MNEME_INFO_H

/* The machine and the libraries that this library runs on. */

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MNEME_INFO_MAX_LIBRARIES 8

typedef struct mneme_library {
    const char *name;
    char version[64];
} mneme_library;

typedef struct mneme_info {
    const char *version; /* of mneme */
    int contract;        /* version of the arithmetic contract */
    char cpu[128];       /* the CPU's name, as the operating system tells it */
    const char *isa;     /* instruction set in use: "avx512", "avx2", "neon", "scalar"; "none" */
    char isas[64];       /* those that the CPU and this build have, separated by blanks */
    size_t threads;      /* OpenMP's */
    const char *threads_reason; /* why as many: "OMP_NUM_THREADS" */
    const char *compiler;       /* that built the library */
    size_t n_libraries;
    mneme_library libraries[MNEME_INFO_MAX_LIBRARIES];
} mneme_info;

/* Fills *info. MNEME_BAD_INPUT when the environment's MNEME_ISA names an instruction set that this
 * build or CPU does not have, or when the CPU has none that the library could compute with: an x86
 * without AVX2 and FMA. *info is filled then, too; whatever computes gives the same error. */
MNEME_API mneme_status mneme_info_get(mneme_info *info, mneme_error *error);

/* What the model in a folder is: architecture, parameters by part, bytes on disk and in memory,
 * tokenizer, memory, background, digest, and the operations and bytes of a token; as text for a
 * terminal, or JSON. Free it with free(). MNEME_BAD_INPUT, naming the file, for what is no model.
 */
MNEME_API mneme_status mneme_model_info(const char *folder, bool as_json, char **text,
                                        mneme_error *error);

/* Sets OpenMP's number of threads as the program does: OMP_NUM_THREADS if that is set; otherwise
 * the CPUs that this process may use (its affinity mask), but not more than the quotas of its
 * control groups (cgroups), rounded up. A program that does not call this has OpenMP's own choice,
 * which knows no quotas. MNEME_BAD_INPUT when OMP_NUM_THREADS is no number from 1 to 1024 (or to
 * the CPUs, if those are more), MNEME_FAILED when the system does not start as many. */
MNEME_API mneme_status mneme_threads_choose(mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
