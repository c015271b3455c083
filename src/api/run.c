#include <mneme/run.h>

#include <stddef.h>

#include "base/float_state.h"
#include "compare/engine.h"
#include "recipe/recipe_keys_text.h"

mneme_status mneme_run(const mneme_run_options *options, char **table, mneme_error *error) {
    struct float_state state = {0};
    *table = NULL;
    mneme_status status = float_state_enter(&state, error);
    THEN(engine_run(PLAN_RUN, options, table, error));
    float_state_leave(&state);
    return status;
}

char *mneme_recipe_keys(bool as_json) {
    return as_json ? recipe_keys_json() : recipe_keys_markdown();
}
