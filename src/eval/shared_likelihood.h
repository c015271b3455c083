#ifndef EVAL_SHARED_LIKELIHOOD_H
#define EVAL_SHARED_LIKELIHOOD_H

#include "eval/span_likelihood.h"

/* span_likelihoods of spans of which those that follow each other begin alike, as answers to
 * questions after the same examples do: the beginning is read once, into a cache from which each
 * goes on. The same bits. `progress`, unless NULL, is called with the number of spans done. */
mneme_status shared_likelihoods(const struct model *model, size_t n,
                                const struct scored_span *spans, double *nll,
                                void (*progress)(size_t done, void *context), void *context,
                                mneme_error *error);

#endif
