#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>

/* What a command takes, as tables, and the reading of its command line by them. Whatever is wrong
 * is said here, on standard error. */

struct usage {
    const char *command;
    const char *help; /* printed as it is */
    int n_operands;   /* exactly this many */
};

/* How often an option can be given that may be repeated. */
#define MAX_REPEATS 64
struct texts {
    const char *list[MAX_REPEATS];
    size_t n;
};
struct counts {
    size_t list[MAX_REPEATS];
    size_t n;
};
/* An option whose value may be left out. */
struct optional_text {
    bool given;
    const char *text; /* NULL without a value */
};

/* --NAME, and where its value goes: the one member that is not NULL decides what it takes. */
struct argument {
    const char *name;
    bool *flag; /* takes no value */
    const char **text;
    size_t *count;
    struct texts *texts; /* one more */
    struct counts *counts;
    struct optional_text *optional;
    bool needed;
};

/* Reads the options, at most 24; the list ends with {0}, --help is added. argv[optind] is then the
 * first operand. False when the command is to end at once with *status. */
bool arguments_options(const struct usage *usage, const struct argument *options, int argc,
                       char **argv, int *status);

/* Whether there are n operands; *status otherwise. */
bool arguments_operands(const struct usage *usage, int n, int argc, char *const *argv, int *status);

/* Both, for usage->n_operands, and that no option is missing that is needed. */
bool arguments_parse(const struct usage *usage, const struct argument *options, int argc,
                     char **argv, int *status);

/* Says "mneme COMMAND: MESSAGE (see mneme COMMAND --help)"; MNEME_BAD_INPUT. */
int arguments_refuse(const struct usage *usage, const char *format, ...) MNEME_PRINTF(2, 3);

/* "mneme COMMAND: MESSAGE" on standard error; the exit status of the error. */
int arguments_report(const struct usage *usage, const mneme_error *error);

/* Appends one; says so and returns false when there are too many. */
bool arguments_append(const struct usage *usage, const char *option, const char *text,
                      struct texts *texts);

/* runs/NAME for a recipe …/NAME.json: the run folder when none is given. */
void arguments_run_directory(const char *recipe, char *directory, size_t size);

#endif
