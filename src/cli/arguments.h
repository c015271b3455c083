#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>

/* What a command takes. Options are getopt_long's, at most 16, with values 1, 2, 3…; `help` is
 * added. The help text is printed as it is. */
struct usage {
    const char *command;
    const char *help;
    const struct option *options; /* ends with {0} */
    int n_operands;               /* exactly this many */
};

/* The next option's `val`, or -1 at the end; -2 when the command is to end at once with *status
 * (after --help or a wrong option, about which it has been said all). */
int arguments_next(const struct usage *usage, int argc, char **argv, int *status);

/* Call after the last option: true if the operands are as many as they should be. */
bool arguments_operands(const struct usage *usage, int argc, char *const *argv);

/* "mneme COMMAND: MESSAGE" on standard error; the exit status of the error. */
int arguments_report(const struct usage *usage, const mneme_error *error);

/* Parses a count; says what is wrong and returns false otherwise. */
bool arguments_count(const struct usage *usage, const char *option, const char *text,
                     size_t *count);

/* The texts of --set, in order. */
#define MAX_OVERRIDES 64
struct overrides {
    const char *list[MAX_OVERRIDES];
    size_t n;
};

/* Appends one; says so and returns false when there are too many. */
bool arguments_override(const struct usage *usage, const char *text, struct overrides *overrides);

/* runs/NAME for a recipe …/NAME.json: the run folder when none is given. */
void arguments_run_directory(const char *recipe, char *directory, size_t size);

#endif
