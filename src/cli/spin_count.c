#include "cli/spin_count.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

void spin_count_lower(char **argv) {
    if (getenv("OMP_WAIT_POLICY") != NULL || getenv("GOMP_SPINCOUNT") != NULL) return;
    /* By its path: an emulator's /proc/self/exe is the emulated program only for readlink. */
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0 || setenv("GOMP_SPINCOUNT", "1000", 1) != 0) return;
    path[length] = '\0';
    execv(path, argv);
    unsetenv("GOMP_SPINCOUNT");
}
