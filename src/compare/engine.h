#ifndef COMPARE_ENGINE_H
#define COMPARE_ENGINE_H

#include <mneme/run.h>

#include "compare/plan.h"
#include "compare/result.h"

/* Runs the cells of a recipe's plan that the folder does not hold yet, compares what was found, and
 * writes the reports: mneme_run and mneme_sweep in the canonical floating-point state. *report
 * becomes the text for a terminal, malloc'ed; it is there, too, when the digests are not those
 * expected. */
mneme_status engine_run(enum plan_kind kind, const mneme_run_options *options, char **report,
                        mneme_error *error);

/* Notes what the reports say of the experiment, which is closed by then. */
mneme_status engine_describe(const struct experiment *experiment, struct result *result,
                             mneme_error *error);

/* Notes what finetunings of other plans the run folder of a variant has. */
mneme_status engine_list_left_out(const char *directory, struct result *result, size_t variant,
                                  mneme_error *error);

#endif
