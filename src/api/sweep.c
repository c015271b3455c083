#include <mneme/sweep.h>

#include <stddef.h>

#include "base/float_state.h"
#include "compare/sweep.h"

mneme_status mneme_sweep(const mneme_run_options *options, char **report, mneme_error *error) {
    struct float_state state = {0};
    *report = NULL;
    mneme_status status = float_state_enter(&state, error);
    if (status == MNEME_OK) status = sweep_recipe(options, report, error);
    float_state_leave(&state);
    return status;
}
