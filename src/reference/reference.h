#ifndef REFERENCE_REFERENCE_H
#define REFERENCE_REFERENCE_H

#include <mneme/reference.h>

/* In the library, not with the tests: `mneme verify --reference DIR` checks an engine against
 * tensors that its user made. */

/* Fills *equivalence, which is {0}: mneme_reference_check in the canonical floating-point state. */
mneme_status reference_check(const mneme_reference_options *options, mneme_equivalence *equivalence,
                             mneme_error *error);

#endif
