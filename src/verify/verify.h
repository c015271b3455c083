#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include <mneme/verify.h>

/* Fills *verification, which is {0}; mneme_verification_free frees it, after a failure too. */
mneme_status verify_run(const mneme_verify_options *options, mneme_verification *verification,
                        mneme_error *error);

#endif
