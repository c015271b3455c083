#include <mneme/sweep.h>

#include <stddef.h>

#include "base/file_lock.h"
#include "base/float_state.h"
#include "budget/fit.h"
#include "compare/engine.h"
#include "folder/folder.h"

mneme_status mneme_sweep(const mneme_run_options *options, char **report, mneme_error *error) {
    struct float_state state = {0};
    struct file_lock lock = {0};
    *report = NULL;
    mneme_status status = float_state_enter(&state, error);
    THEN(file_lock_take(&lock, options->directory, FOLDER_LOCK, error));
    THEN(fit_run(PLAN_SWEEP, options, error));
    THEN(engine_run(PLAN_SWEEP, options, report, error));
    file_lock_release(&lock);
    float_state_leave(&state);
    return status;
}
