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
    const char *directory; /* a run folder, or a sweep's; only read */
    /* "files", "tokenizer", "pretrain", "background", "smf/lr-300", "cells/smf-ID", "report",
     * "sweep"; in a sweep's folder behind the run folder's name, "seed-1/pretrain". NULL: all of
     * them */
    const char *stage;
    size_t from, to; /* steps to compare, from 1; 0: the first, the last */
    bool cells;      /* repeats a sweep's cells, too, when no stage is named */
    /* "key=value" for input files that have moved ("corpus.world=PATH") */
    const char *const *overrides;
    size_t n_overrides;
    mneme_progress_callback progress; /* may be NULL; called from the calling thread */
    void *user;
} mneme_verify_options;

#define MNEME_STAGE_NAME_SIZE 128

/* One row of a verification. Of "files" and "report", steps are files. */
typedef struct mneme_verified_stage {
    char name[MNEME_STAGE_NAME_SIZE];
    size_t start;          /* steps done at the replay's starting point */
    size_t first, last;    /* steps that were compared; none when last < first */
    bool equal;            /* all of them, and what the stage left behind */
    bool evaluated;        /* the evaluation was repeated: scores and answers were compared, too */
    size_t different_step; /* the first that differs; 0 when something else does */
    /* NULL when equal: the file that differs, and what it and the replay say there. */
    char *place, *recorded, *found;
    char *not_compared; /* what was not compared and why; NULL: nothing */
} mneme_verified_stage;

typedef struct mneme_verification {
    size_t n_stages;
    mneme_verified_stage *stages; /* [n_stages] */
    bool equal;
} mneme_verification;

/* Compares what lies in a run folder with what the recipe gives: every file with its SHA-256 in
 * SHA256SUMS; the tokenizer, learned again; each stage replayed from its nearest starting point (a
 * kept checkpoint, the initial weights, or the base model): the trail step by step, kept
 * checkpoints, the evaluations along the stream, the model, its scores and its answers; the
 * background, counted again; the report, made again from the scores. A stage ends at its first
 * difference; the next one follows. In the folder of a sweep, each run folder in it. A sweep's
 * cells keep no models; they are repeated when options->cells asks for it, or when one is named.
 * MNEME_BAD_INPUT for a folder that is not a run's, lacks a trail, or has moved inputs, and for
 * files that are refused before anything can be repeated. Free with mneme_verification_free. */
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
