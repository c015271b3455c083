#ifndef TESTS_DATA_SETS_H
#define TESTS_DATA_SETS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* *path becomes that of a real data set, which the project does not ship: in the folder that the
 * environment variable MNEME_DATA names, else in ../shared/data. False, having said so, when it is
 * not there; the test then ends. */
static inline bool data_set(const char *test, const char *name, char path[512]) {
    const char *folder = getenv("MNEME_DATA");
    snprintf(path, 512, "%s/%s", folder == NULL ? "../shared/data" : folder, name);
    if (access(path, R_OK) == 0) return true;
    printf("skip: %s: no %s\n", test, path);
    return false;
}

#endif
