#include <mneme/info.h>

#include "base/error.h"
#include "base/thread_count.h"
#include "budget/model_report.h"
#include "run/machine.h"
#include "simd/simd.h"

mneme_status mneme_info_get(mneme_info *info, mneme_error *error) {
    machine_describe(info);
    if (simd_problem() == NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s", simd_problem());
}

mneme_status mneme_model_info(const char *folder, bool as_json, char **text, mneme_error *error) {
    return model_report(folder, as_json, text, error);
}

mneme_status mneme_threads_choose(mneme_error *error) {
    return thread_count_choose(error);
}
