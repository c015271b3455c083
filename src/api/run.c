#include <mneme/run.h>

#include <stddef.h>

#include "base/float_state.h"
#include "compare/run.h"

mneme_status mneme_run(const mneme_run_options *options, char **table, mneme_error *error) {
    struct float_state state = {0};
    *table = NULL;
    mneme_status status = float_state_enter(&state, error);
    if (status == MNEME_OK) status = run_recipe(options, table, error);
    float_state_leave(&state);
    return status;
}
