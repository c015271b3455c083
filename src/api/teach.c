#include <mneme/teach.h>

#include "base/float_state.h"
#include "budget/fit.h"
#include "teach/teach.h"

mneme_status mneme_teach(const mneme_teach_options *options, char **report, mneme_error *error) {
    struct float_state state = {0};
    *report = NULL;
    mneme_status status = float_state_enter(&state, error);
    THEN(fit_teach(options, error));
    THEN(teach_run(options, report, error));
    float_state_leave(&state);
    return status;
}
