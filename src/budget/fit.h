#ifndef BUDGET_FIT_H
#define BUDGET_FIT_H

#include <mneme/eval.h>
#include <mneme/run.h>
#include <mneme/teach.h>

#include "compare/plan.h"

/* MNEME_FAILED, with the figures, for what does not fit (budget_check). What reads from a pipe,
 * which can be read but once, passes unasked; so does what cannot be planned since something is
 * wrong with it: it says better itself what that is. */
mneme_status fit_run(enum plan_kind kind, const mneme_run_options *options, mneme_error *error);
mneme_status fit_teach(const mneme_teach_options *options, mneme_error *error);
mneme_status fit_eval(const mneme_eval_options *options, mneme_error *error);

#endif
