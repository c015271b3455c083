#ifndef CLI_PRINT_PLAN_H
#define CLI_PRINT_PLAN_H

#include "cli/arguments.h"

#define PLAN_HELP(padding)                                                  \
    "  --plan" padding                                                      \
    "says what it will take: memory, disk, operations and time, and does\n" \
    "        " padding "nothing; with --json as JSON\n"

/* Prints a plan, which is freed, or what went wrong; the exit status. */
int print_plan(const struct usage *usage, mneme_status done, char *plan, const mneme_error *error);

#endif
