#ifndef EXAM_BRANCH_LIKELIHOOD_H
#define EXAM_BRANCH_LIKELIHOOD_H

#include "eval/span_likelihood.h"

/* span_likelihoods of spans that share what is before their scored tokens with the spans beside
 * them, as the endings of a question do: that is read once, into a cache from which each goes on.
 * The same bits. `progress`, unless NULL, is called with the number of spans done. */
mneme_status branch_likelihoods(const struct model *model, size_t n,
                                const struct scored_span *spans, double *nll,
                                void (*progress)(size_t done, void *context), void *context,
                                mneme_error *error);

#endif
