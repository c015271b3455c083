#ifndef REFERENCE_REFERENCE_H
#define REFERENCE_REFERENCE_H

#include <mneme/reference.h>

/* Fills *equivalence, which is {0}: mneme_reference_check in the canonical floating-point state. */
mneme_status reference_check(const mneme_reference_options *options, mneme_equivalence *equivalence,
                             mneme_error *error);

#endif
