#ifndef RUN_TRACE_H
#define RUN_TRACE_H

#include <mneme/verify.h>

/* Fills *result, which is {0}: mneme_trace in the canonical floating-point state. */
mneme_status trace_run(const mneme_trace_options *options, mneme_trace_result *result,
                       mneme_error *error);

#endif
