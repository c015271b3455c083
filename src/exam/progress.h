#ifndef EXAM_PROGRESS_H
#define EXAM_PROGRESS_H

#include <mneme/run.h>

#include "eval/span_likelihood.h"

/* Tells a caller how far an evaluation is. */
struct eval_progress {
    mneme_progress_callback call; /* NULL: nobody is told */
    void *user;
    char stage[64];
    const char *unit;
    size_t done, total;
    size_t tokens; /* of what is done */
};

/* A new stage: `what` of a file. */
void eval_progress_begin(struct eval_progress *progress, const char *what, const char *file,
                         const char *unit, size_t total);
void eval_progress_add(struct eval_progress *progress, size_t done, size_t tokens);

/* span_likelihoods, shared_likelihoods and branch_likelihoods that tell of their spans. */
mneme_status eval_progress_shared(struct eval_progress *progress, const struct model *model,
                                  size_t n, const struct scored_span *spans, double *nll,
                                  mneme_error *error);
mneme_status eval_progress_read(struct eval_progress *progress, struct span_reader *reader,
                                size_t n, const struct scored_span *spans, double *nll,
                                mneme_error *error);
mneme_status eval_progress_branches(struct eval_progress *progress, const struct model *model,
                                    size_t n, const struct scored_span *spans, double *nll,
                                    mneme_error *error);

#endif
