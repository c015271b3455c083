#ifndef CLI_PRINT_FILE_H
#define CLI_PRINT_FILE_H

#include "cli/arguments.h"

/* Copies a file of a folder to standard output; the exit status. */
int print_file(const struct usage *usage, const char *directory, const char *name);

#endif
