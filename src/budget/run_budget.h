#ifndef BUDGET_RUN_BUDGET_H
#define BUDGET_RUN_BUDGET_H

#include <mneme/run.h>

#include "budget/budget.h"
#include "compare/plan.h"

/* The stages of a run, or of all variants of a sweep, as if nothing of it were done. *budget is
 * closed by the caller, on failure, too. */
mneme_status run_budget(enum plan_kind kind, const mneme_run_options *options,
                        struct budget *budget, mneme_error *error);

#endif
