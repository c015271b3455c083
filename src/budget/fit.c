/* Whether what is about to begin fits. */

#include "budget/fit.h"

#include "budget/eval_budget.h"
#include "budget/run_budget.h"

static mneme_status judge(struct budget *budget, mneme_status status, const char *what,
                          mneme_error *error) {
    status = status == MNEME_OK ? budget_check(budget, what, error) : MNEME_OK;
    budget_close(budget);
    return status;
}

mneme_status fit_run(enum plan_kind kind, const mneme_run_options *options, mneme_error *error) {
    struct budget budget;
    if (budget_is_waived()) return MNEME_OK;
    mneme_status status = run_budget(kind, options, &budget, NULL);
    return judge(&budget, status, options->recipe, error);
}

mneme_status fit_teach(const mneme_teach_options *options, mneme_error *error) {
    struct budget budget;
    if (budget_is_waived()) return MNEME_OK;
    mneme_status status = teach_budget(options, &budget, NULL);
    return judge(&budget, status, options->model, error);
}

mneme_status fit_eval(const mneme_eval_options *options, mneme_error *error) {
    struct budget budget;
    if (budget_is_waived()) return MNEME_OK;
    mneme_status status = eval_budget(options, &budget, NULL);
    return judge(&budget, status, options->model, error);
}
