#ifndef MNEME_REFERENCE_H
#define MNEME_REFERENCE_H

/* The engine against reference tensors that PyTorch computed in float64 and in float32
 * (tests/reference/, docs/equivalence.md). */

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>
#include <mneme/run.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The distance from float64: the L2 norm of the difference over that of the tensor, and the largest
 * difference in ULP of the tensor's scale, which is its greatest magnitude times 2^-23. */
typedef struct mneme_reference_error {
    double relative;
    double ulp;
} mneme_reference_error;

/* One tensor of a case, over all of the case's trials. */
typedef struct mneme_reference_row {
    char name[64];   /* of the case */
    char tensor[96]; /* "d.layers.0.feed_forward.keys": a gradient; "after.…": after training */
    char isas[48];   /* the instruction sets that gave exactly these bits */
    size_t n;        /* elements */
    bool is_selection;
    size_t different; /* selection: elements that differ from PyTorch's float64 */
    size_t near_ties; /* those of them with float64 scores as near as the larger error */
    /* Not a selection: the largest error over the trials, of mneme (ours) and of PyTorch's float32:
     * over all trials that the manifest knows (theirs), and over those that mneme ran too (here).
     */
    mneme_reference_error ours, theirs, here;
    bool equivalent;
    bool within_here; /* ours is at most 1.5 times `here`, without allowance for rounding */
    bool here_within; /* and the other way round: `here` is at most 1.5 times ours */
} mneme_reference_row;

typedef struct mneme_equivalence {
    size_t n_rows, n_cases, n_different; /* different: rows that are not equivalent */
    size_t n_beyond_here;                /* rows that are not within_here */
    size_t n_here_beyond;                /* rows that are not here_within */
    mneme_reference_row *rows;           /* [n_rows] in the manifest's order */
    char isas[48];                       /* all that were tried */
    char torch[32];                      /* the version that made the files */
    bool equivalent;
} mneme_equivalence;

typedef struct mneme_reference_options {
    const char *directory;            /* with manifest.json */
    const char *filter;               /* only cases whose name contains this; NULL: all */
    mneme_progress_callback progress; /* may be NULL */
    void *user;
} mneme_reference_options;

/* Runs all cases on every instruction set that this build and CPU have. No other call into the
 * library may run at the same time. MNEME_BAD_INPUT for a folder without a manifest, a file whose
 * digest is not the manifest's, a case without one of its tensors. Free with
 * mneme_equivalence_free. */
MNEME_API mneme_status mneme_reference_check(const mneme_reference_options *options,
                                             mneme_equivalence *equivalence, mneme_error *error);
MNEME_API void mneme_equivalence_free(mneme_equivalence *equivalence);

#ifdef __cplusplus
}
#endif

#endif
