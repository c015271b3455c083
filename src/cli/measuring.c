#include "cli/measuring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/profile.h>

static int refuse(const struct usage *usage, const char *file, const char *cause) {
    fprintf(stderr, "mneme %s: --profile=%s: %s\n", usage->command, file, cause);
    return MNEME_BAD_INPUT;
}

bool measuring_option(const struct usage *usage, int option, struct measuring *measuring) {
    if (option == OPTION_PIN) measuring->pin = true;
    if (option != OPTION_PROFILE) return true;
    measuring->profile = true;
    if (optarg == NULL) return true;
    measuring->file = optarg;
    if (optarg[0] != '\0') return true;
    refuse(usage, optarg, "a file's name is missing");
    return false;
}

/* A file that cannot be written is better refused before hours of work than after. The folder of a
 * run may be yet to make, so that only a folder that is asked for is looked at. */
static int check_file(const struct usage *usage, const char *file) {
    char folder[4096];
    const char *slash = strrchr(file, '/');
    int length = slash == NULL ? 1 : slash == file ? 1 : (int)(slash - file);
    snprintf(folder, sizeof folder, "%.*s", length, slash == NULL ? "." : file);
    return access(folder, W_OK | X_OK) == 0 ? 0 : refuse(usage, file, strerror(errno));
}

int measuring_begin(const struct usage *usage, const struct measuring *measuring) {
    mneme_error error = {0};
    int status = measuring->file == NULL ? 0 : check_file(usage, measuring->file);
    if (status != 0) return status;
    if (measuring->pin && mneme_pin_threads(&error) != MNEME_OK) {
        fprintf(stderr, "mneme %s: --pin: %s\n", usage->command, error.message);
        return (int)error.status;
    }
    if (measuring->profile) mneme_profile_start();
    return 0;
}

int measuring_end(const struct usage *usage, const struct measuring *measuring, int status) {
    mneme_error error = {0};
    char *table;
    if (!measuring->profile) return status;
    mneme_status done = mneme_profile_finish(measuring->file, &table, &error);
    if (table != NULL) fprintf(stderr, "\n%s", table);
    free(table);
    if (done != MNEME_OK) return arguments_report(usage, &error);
    if (measuring->file != NULL) fprintf(stderr, "profile: %s\n", measuring->file);
    return status;
}
