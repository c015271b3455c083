#ifndef MNEME_VERIFY_H
#define MNEME_VERIFY_H

/* Repeating a run, and comparing each step with the run's trail. */

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>
#include <mneme/run.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mneme_verify_options {
    const char *directory; /* a run folder; only read */
    const char *stage;     /* "pretrain", "background", "smf/lr-300"…; NULL: all of them */
    size_t from, to;       /* steps to compare, from 1; 0: the first, the last */
    /* "key=value" for input files that have moved ("corpus.world=PATH") */
    const char *const *overrides;
    size_t n_overrides;
    mneme_progress_callback progress; /* may be NULL; called from the calling thread */
    void *user;
} mneme_verify_options;

typedef struct mneme_verified_stage {
    char name[48];
    size_t start;           /* steps done at the replay's starting point */
    size_t first, last;     /* steps that were compared; none when last < first */
    bool equal;             /* all of them, and the digest of the stage's end if it was reached */
    size_t different_step;  /* the first that differs; 0 when only the end's digest does */
    char *recorded, *found; /* what trail and replay say there; NULL when equal */
} mneme_verified_stage;

typedef struct mneme_verification {
    size_t n_stages;
    mneme_verified_stage *stages; /* [n_stages] */
    bool equal;
} mneme_verification;

/* Replays the stages, each from its nearest starting point: a kept checkpoint, the initial
 * weights, or the base model. A stage ends at its first different step; the next one follows.
 * MNEME_BAD_INPUT for a folder that is not a run's, lacks a trail, or has moved inputs. Free with
 * mneme_verification_free. */
MNEME_API mneme_status mneme_verify(const mneme_verify_options *options,
                                    mneme_verification *verification, mneme_error *error);
MNEME_API void mneme_verification_free(mneme_verification *verification);

typedef struct mneme_trace_options {
    const char *directory; /* a run folder; only read */
    const char *stage;     /* "pretrain", "smf/lr-300"… */
    size_t step;           /* from 1 */
    const char *output;    /* path of the file that is made */
    const char *const *overrides;
    size_t n_overrides;
    mneme_progress_callback progress; /* may be NULL */
    void *user;
} mneme_trace_options;

typedef struct mneme_trace_result {
    size_t n_tensors;
    /* The first step, up to the traced one, at which the replay differs from the trail; 0: none,
     * this engine repeats the run. */
    size_t different_step;
} mneme_trace_result;

/* Replays a stage up to a step, and writes every tensor of that step into a safetensors file:
 * forward activations, gradients of the residual stream and the parameters, updated weights. The
 * names' numbers ascend in the order of computation. */
MNEME_API mneme_status mneme_trace(const mneme_trace_options *options, mneme_trace_result *result,
                                   mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
