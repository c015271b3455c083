#include <mneme/eval.h>

#include <stddef.h>

#include "base/float_state.h"
#include "budget/fit.h"
#include "exam/exam_report.h"
#include "exam/examination.h"
#include "patch/patch_model.h"

mneme_status mneme_eval(const mneme_eval_options *options, mneme_eval_results *results,
                        mneme_error *error) {
    struct float_state state = {0};
    struct language_model language = {0};
    *results = (mneme_eval_results){0};
    mneme_status status = float_state_enter(&state, error);
    THEN(fit_eval(options, error));
    THEN(patch_language_open(&language, options->model, options->patch, error));
    THEN(examination_run(&language, options, results, error));
    language_model_close(&language);
    float_state_leave(&state);
    return status;
}

void mneme_eval_results_free(mneme_eval_results *results) {
    examination_free(results);
}

char *mneme_eval_table(const mneme_eval_results *results) {
    return exam_report_table(results);
}

char *mneme_eval_json(const mneme_eval_results *results) {
    return exam_report_json(results);
}
