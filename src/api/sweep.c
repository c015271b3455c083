#include <mneme/sweep.h>

#include <stddef.h>

#include "base/float_state.h"
#include "compare/engine.h"

mneme_status mneme_sweep(const mneme_run_options *options, char **report, mneme_error *error) {
    struct float_state state = {0};
    *report = NULL;
    mneme_status status = float_state_enter(&state, error);
    THEN(engine_run(PLAN_SWEEP, options, report, error));
    float_state_leave(&state);
    return status;
}
