#include <mneme/patch.h>

#include "base/float_state.h"
#include "patch/patch_diff.h"
#include "patch/patch_file.h"
#include "patch/patch_model.h"
#include "patch/patch_report.h"

mneme_status mneme_patch_info(const char *path, bool json, char **text, mneme_error *error) {
    struct patch patch;
    *text = NULL;
    TRY(patch_load(&patch, path, error));
    mneme_status status = patch_report(&patch, path, json, text, error);
    patch_close(&patch);
    return status;
}

mneme_status mneme_patch_apply(const char *folder, const char *patch, const char *out,
                               mneme_error *error) {
    struct float_state state = {0};
    mneme_status status = float_state_enter(&state, error);
    THEN(patch_model_merge(folder, patch, out, error));
    float_state_leave(&state);
    return status;
}

mneme_status mneme_patch_undo(const char *path, size_t n, const char *out, mneme_error *error) {
    struct patch patch;
    TRY(patch_load(&patch, path, error));
    mneme_status status = MNEME_OK;
    if (n > patch.n_facts) {
        status =
            error_set(error, MNEME_BAD_INPUT, "%s: has %zu facts, of which %zu cannot be undone",
                      path, patch.n_facts, n);
    } else {
        patch_undo(&patch, n);
    }
    THEN(patch_save(&patch, out, error));
    patch_close(&patch);
    return status;
}

mneme_status mneme_patch_diff(const char *left_path, const char *right_path, bool json, char **text,
                              bool *same, mneme_error *error) {
    struct patch left = {0}, right = {0};
    struct patch_difference d = {0};
    *text = NULL;
    mneme_status status = patch_load(&left, left_path, error);
    THEN(patch_load(&right, right_path, error));
    THEN(patch_compare(&left, &right, left_path, right_path, &d, error));
    THEN(patch_report_difference(&left, &right, &d, json, text, error));
    *same = d.facts_alike == left.n_facts && d.facts_alike == right.n_facts &&
            d.rows_differ + d.rows_left + d.rows_right == 0;
    patch_close(&right);
    patch_close(&left);
    return status;
}
