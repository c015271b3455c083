#ifndef MNEME_DIFF_H
#define MNEME_DIFF_H

/* Where two runs, or two files of tensors, first differ. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One value of both sides. */
typedef struct mneme_value_pair {
    double a, b; /* exact for every type but 64-bit integers beyond 2^53 */
    /* Steps from a to b through the representable numbers of the type; for integers |a - b|.
     * UINT64_MAX if one of them is NaN. -0 and +0 differ by 1. */
    uint64_t ulp;
} mneme_value_pair;

#define MNEME_DIFF_MAX_FIELDS 8

/* The first line in which the trails of two runs differ. */
typedef struct mneme_trail_difference {
    bool differ;
    char stage[48]; /* the first stage, in order of computation, that differs */
    size_t step;    /* the step, from 1 */
    size_t n_steps; /* of this stage that are in both trails */
    size_t common;  /* the last step before it with the same digest in both; 0: none */
    size_t n_fields;
    struct {
        const char *name; /* "lr", "loss", "gradient_norm", "slot_perplexity", "never_read" */
        mneme_value_pair value;
    } fields[MNEME_DIFF_MAX_FIELDS]; /* those that differ */
    char *a, *b;                     /* both lines; NULL where a trail has ended */
    size_t n_stages;                 /* that both runs have and that were compared */
    size_t n_compared;               /* steps */
    /* Where the trails are the same: the first file of both runs that is not, though it should be,
     * and what differs in it; NULL: none */
    char *file, *file_cause;
    size_t n_files; /* that both runs have and that were compared */
} mneme_trail_difference;

/* Compares the trails of two run folders, stage by stage, step by step; and, where these are the
 * same, what else lies in both: models, scores, answers, backgrounds, evaluations along the
 * stream, reports but for times and machines. Then `differ` is set by `file`, too. MNEME_BAD_INPUT
 * when one of them is not a run folder, if they have no stage in common, or when a file that
 * nothing else tells apart is not the one in its folder's SHA256SUMS. */
MNEME_API mneme_status mneme_diff_trails(const char *a, const char *b,
                                         mneme_trail_difference *difference, mneme_error *error);
MNEME_API void mneme_trail_difference_free(mneme_trail_difference *difference);

#define MNEME_DIFF_MAX_RANK 8

typedef struct mneme_tensor_difference {
    char *name;
    const char *type; /* static; of a's */
    size_t rank;
    size_t shape[MNEME_DIFF_MAX_RANK];
    /* "only in a", "only in b", "other type or shape", "other type, same numbers" (types of which
     * the one widens to the other); then no more is known. NULL: compared, of two such types in
     * f32 */
    const char *problem;
    size_t n_elements;
    size_t n_different;      /* elements whose bytes differ */
    size_t first;            /* index of the first of them, rows outermost */
    mneme_value_pair values; /* there */
    uint64_t max_ulp;
    double max_absolute;
    double relative_l2; /* |a - b| / |a|, over the finite elements */
} mneme_tensor_difference;

typedef struct mneme_tensors_difference {
    size_t n_tensors;
    mneme_tensor_difference *tensors; /* by name: a trace's in order of computation */
    size_t n_different;
    size_t first; /* the first that differs; n_tensors when none does */
} mneme_tensors_difference;

/* Compares two .safetensors files, or model folders (their model.safetensors), bit by bit. */
MNEME_API mneme_status mneme_diff_tensors(const char *a, const char *b,
                                          mneme_tensors_difference *difference, mneme_error *error);
MNEME_API void mneme_tensors_difference_free(mneme_tensors_difference *difference);

#ifdef __cplusplus
}
#endif

#endif
