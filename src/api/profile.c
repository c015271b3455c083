#include <mneme/profile.h>

#include "base/json_write.h"
#include "base/pin.h"
#include "profile/roofline.h"
#include "run/machine.h"

void mneme_profile_start(void) {
    profile_start();
}

mneme_status mneme_pin_threads(mneme_error *error) {
    return pin_threads(error);
}

static mneme_status write_files(const struct profile_report *report, const char *file,
                                mneme_error *error) {
    json_t *root = profile_to_json(report);
    if (root == NULL) return error_set_memory(error, "the profile");
    json_object_set_new(root, "machine", machine_to_json());
    mneme_status status = json_write_file(file, root, error);
    json_decref(root);
    return status == MNEME_OK ? roofline_plot(report, file, error) : status;
}

mneme_status mneme_profile_finish(const char *file, char **table, mneme_error *error) {
    struct profile_report report;
    uint64_t nanoseconds;
    *table = NULL;
    if (!profile_stop(&nanoseconds)) return error_set_memory(error, "the profile");
    mneme_status status = profile_report_open(&report, nanoseconds, error);
    if (status != MNEME_OK) return status;
    *table = profile_table(&report);
    if (*table == NULL) status = error_set_memory(error, "the profile");
    if (status == MNEME_OK && file != NULL) status = write_files(&report, file, error);
    profile_report_close(&report);
    return status;
}
