#include "cli/print_file.h"

#include <stdio.h>

int print_file(const struct usage *usage, const char *directory, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        fprintf(stderr, "mneme %s: %s: cannot be read\n", usage->command, path);
        return MNEME_FAILED;
    }
    for (int c = getc(stream); c != EOF; c = getc(stream)) putchar(c);
    fclose(stream);
    return 0;
}
