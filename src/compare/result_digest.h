#ifndef COMPARE_RESULT_DIGEST_H
#define COMPARE_RESULT_DIGEST_H

#include "compare/report.h"
#include "run/experiment.h"

/* One number for all that a run found: the SHA-256 of a text with the contract, and line by line
 * the digests of the base model, the background, and every finetuning's trail, model and scores
 * (exact, as hexadecimal floats). Runs of one recipe have the same, or something differs. */
mneme_status result_digest(const struct experiment *experiment, const struct report *report,
                           struct digest *digest, mneme_error *error);

#endif
