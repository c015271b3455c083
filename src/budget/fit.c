/* Whether what is about to begin fits. */

#include "budget/fit.h"

#include <sys/stat.h>

#include "budget/eval_budget.h"
#include "budget/run_budget.h"

static mneme_status judge(struct budget *budget, mneme_status status, const char *what,
                          mneme_error *error) {
    status = status == MNEME_OK ? budget_check(budget, what, error) : MNEME_OK;
    budget_close(budget);
    return status;
}

/* Whether one of n paths is a pipe or the like, which cannot be read twice. */
static bool has_stream(size_t n, const char *const *paths) {
    struct stat found;
    for (size_t i = 0; i < n; i++) {
        if (paths[i] == NULL || stat(paths[i], &found) != 0) continue;
        if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) return true;
    }
    return false;
}

mneme_status fit_run(enum plan_kind kind, const mneme_run_options *options, mneme_error *error) {
    struct budget budget;
    const bool stream = has_stream(1, &options->recipe); /* inputs have digests: no streams */
    if (budget_is_waived() || stream) return MNEME_OK;
    mneme_status status = run_budget(kind, options, &budget, NULL);
    return judge(&budget, status, options->recipe, error);
}

mneme_status fit_teach(const mneme_teach_options *options, mneme_error *error) {
    struct budget budget;
    const char *const paths[] = {options->facts, options->keep, options->wordings};
    const bool stream = has_stream(3, paths) || has_stream(options->n_texts, options->texts);
    if (budget_is_waived() || stream) return MNEME_OK;
    mneme_status status = teach_budget(options, &budget, NULL);
    return judge(&budget, status, options->model, error);
}

mneme_status fit_eval(const mneme_eval_options *options, mneme_error *error) {
    struct budget budget;
    const bool stream = has_stream(options->n_questions, options->questions) ||
                        has_stream(options->n_texts, options->texts) ||
                        has_stream(options->n_choices, options->choices) ||
                        has_stream(1, &options->shots_from);
    if (budget_is_waived() || stream) return MNEME_OK;
    mneme_status status = eval_budget(options, &budget, NULL);
    return judge(&budget, status, options->model, error);
}
