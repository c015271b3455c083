#include <mneme/verify.h>

#include <stdlib.h>

#include "base/file_lock.h"
#include "base/float_state.h"
#include "folder/folder.h"
#include "run/trace.h"
#include "verify/verify.h"

mneme_status mneme_verify(const mneme_verify_options *options, mneme_verification *verification,
                          mneme_error *error) {
    struct float_state state = {0};
    struct file_lock lock = {0};
    *verification = (mneme_verification){0};
    mneme_status status = float_state_enter(&state, error);
    THEN(file_lock_share(&lock, options->directory, FOLDER_LOCK, error));
    THEN(verify_run(options, verification, error));
    file_lock_release(&lock);
    float_state_leave(&state);
    if (status != MNEME_OK) mneme_verification_free(verification);
    return status;
}

void mneme_verification_free(mneme_verification *verification) {
    for (size_t i = 0; i < verification->n_stages; i++) {
        free(verification->stages[i].place);
        free(verification->stages[i].recorded);
        free(verification->stages[i].found);
        free(verification->stages[i].not_compared);
    }
    free(verification->stages);
    *verification = (mneme_verification){0};
}

mneme_status mneme_trace(const mneme_trace_options *options, mneme_trace_result *result,
                         mneme_error *error) {
    struct float_state state = {0};
    struct file_lock lock = {0};
    *result = (mneme_trace_result){0};
    mneme_status status = float_state_enter(&state, error);
    THEN(file_lock_share(&lock, options->directory, FOLDER_LOCK, error));
    THEN(trace_run(options, result, error));
    file_lock_release(&lock);
    float_state_leave(&state);
    return status;
}
