/* What runs, sweeps, teaching and evaluations would take. */

#include <mneme/eval.h>
#include <mneme/run.h>
#include <mneme/sweep.h>
#include <mneme/teach.h>

#include "budget/budget_report.h"
#include "budget/eval_budget.h"
#include "budget/run_budget.h"

/* Takes the budget, and what finding it came to. */
static mneme_status print(struct budget *budget, mneme_status status, bool as_json, char **plan,
                          mneme_error *error) {
    *plan = NULL;
    if (status == MNEME_OK) {
        budget_estimate(budget);
        *plan = budget_report(budget, as_json);
        if (*plan == NULL) status = error_set_memory(error, "the plan");
    }
    budget_close(budget);
    return status;
}

mneme_status mneme_run_plan(const mneme_run_options *options, bool as_json, char **plan,
                            mneme_error *error) {
    struct budget budget;
    return print(&budget, run_budget(PLAN_RUN, options, &budget, error), as_json, plan, error);
}

mneme_status mneme_sweep_plan(const mneme_run_options *options, bool as_json, char **plan,
                              mneme_error *error) {
    struct budget budget;
    return print(&budget, run_budget(PLAN_SWEEP, options, &budget, error), as_json, plan, error);
}

mneme_status mneme_teach_plan(const mneme_teach_options *options, bool as_json, char **plan,
                              mneme_error *error) {
    struct budget budget;
    return print(&budget, teach_budget(options, &budget, error), as_json, plan, error);
}

mneme_status mneme_eval_plan(const mneme_eval_options *options, bool as_json, char **plan,
                             mneme_error *error) {
    struct budget budget;
    return print(&budget, eval_budget(options, &budget, error), as_json, plan, error);
}
