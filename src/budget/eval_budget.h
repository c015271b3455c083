#ifndef BUDGET_EVAL_BUDGET_H
#define BUDGET_EVAL_BUDGET_H

#include <mneme/eval.h>
#include <mneme/teach.h>

#include "budget/budget.h"

/* What an evaluation, and what teaching takes. *budget is closed by the caller, on failure, too. */
mneme_status eval_budget(const mneme_eval_options *options, struct budget *budget,
                         mneme_error *error);
mneme_status teach_budget(const mneme_teach_options *options, struct budget *budget,
                          mneme_error *error);

#endif
