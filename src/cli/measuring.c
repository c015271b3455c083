#include "cli/measuring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/profile.h>

/* Refuses a file that cannot be written before hours of work rather than after. The run folder may
 * not exist yet, so that only a file that was asked for is checked. */
static int check_file(const struct usage *usage, const char *file) {
    char folder[4096];
    const char *slash = strrchr(file, '/'), *cause = NULL;
    int length = slash == NULL ? 1 : slash == file ? 1 : (int)(slash - file);
    snprintf(folder, sizeof folder, "%.*s", length, slash == NULL ? "." : file);
    if (file[0] == '\0') {
        cause = "a file's name is missing";
    } else if (access(folder, W_OK | X_OK) != 0) {
        cause = strerror(errno);
    }
    if (cause == NULL) return 0;
    fprintf(stderr, "mneme %s: --profile=%s: %s\n", usage->command, file, cause);
    return MNEME_BAD_INPUT;
}

int measuring_begin(const struct usage *usage, const struct measuring *measuring) {
    mneme_error error = {0};
    const char *file = measuring->profile.text;
    int status = file == NULL ? 0 : check_file(usage, file);
    if (status != 0) return status;
    if (measuring->pin && mneme_pin_threads(&error) != MNEME_OK) {
        fprintf(stderr, "mneme %s: --pin: %s\n", usage->command, error.message);
        return (int)error.status;
    }
    if (measuring->profile.given) mneme_profile_start();
    return 0;
}

int measuring_end(const struct usage *usage, const struct measuring *measuring, int status) {
    mneme_error error = {0};
    const char *file = measuring->profile.text;
    char *table;
    if (!measuring->profile.given) return status;
    mneme_status done = mneme_profile_finish(file, &table, &error);
    if (table != NULL) fprintf(stderr, "\n%s", table);
    free(table);
    if (done != MNEME_OK) return arguments_report(usage, &error);
    if (file != NULL) fprintf(stderr, "profile: %s\n", file);
    return status;
}
