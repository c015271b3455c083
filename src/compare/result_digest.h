#ifndef COMPARE_RESULT_DIGEST_H
#define COMPARE_RESULT_DIGEST_H

#include "compare/result.h"

/* One number for all that was found, into result->digest: the SHA-256 of a text with a line per
 * base and cell: the digest of its model and its scores (exact, as hexadecimal floats), or the step
 * at which it diverged. A run's
 * text has besides the contract and the digests of every trail and of the background, which are in
 * the run folder `directory`. Runs of one recipe have the same, or something differs. */
mneme_status result_digest(struct result *result, const char *directory, mneme_error *error);

#endif
