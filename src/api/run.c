#include <mneme/run.h>

#include <stddef.h>

#include "base/file_lock.h"
#include "base/float_state.h"
#include "budget/fit.h"
#include "compare/engine.h"
#include "folder/folder.h"
#include "recipe/recipe_keys_text.h"

mneme_status mneme_run(const mneme_run_options *options, char **table, mneme_error *error) {
    struct float_state state = {0};
    struct file_lock lock = {0};
    *table = NULL;
    mneme_status status = float_state_enter(&state, error);
    THEN(file_lock_take(&lock, options->directory, FOLDER_LOCK, error));
    THEN(fit_run(PLAN_RUN, options, error));
    THEN(engine_run(PLAN_RUN, options, table, error));
    file_lock_release(&lock);
    float_state_leave(&state);
    return status;
}

char *mneme_recipe_keys(bool as_json) {
    return as_json ? recipe_keys_json() : recipe_keys_markdown();
}
