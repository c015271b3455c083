#include "cli/arguments.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not the value of any option of a command. */
#define OPTION_HELP 1000
#define MAX_OPTIONS 16

/* What getopt_long's '?' or ':' means; it tells by optopt: 0 for an unknown long option, the letter
 * for an unknown short one, its own value for a long one that takes none and got one. */
static void complain(const struct usage *usage, int option, char *const *argv) {
    const char *given = argv[optind - 1];
    fprintf(stderr, "mneme %s: ", usage->command);
    if (option == ':') {
        fprintf(stderr, "a value is missing after %s", given);
    } else if (optopt == 0) {
        fprintf(stderr, "unknown option %s", given);
    } else if (optopt <= MAX_OPTIONS || optopt == OPTION_HELP) {
        fprintf(stderr, "the option takes no value: %s", given);
    } else {
        fprintf(stderr, "unknown option -%c", optopt);
    }
    fprintf(stderr, " (see mneme %s --help)\n", usage->command);
}

int arguments_next(const struct usage *usage, int argc, char **argv, int *status) {
    struct option options[MAX_OPTIONS + 2] = {0};
    size_t n = 0;
    while (n < MAX_OPTIONS && usage->options[n].name != NULL) {
        options[n] = usage->options[n];
        n++;
    }
    options[n] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    opterr = 0;
    int option = getopt_long(argc, argv, ":h", options, NULL);
    if (option == OPTION_HELP || option == 'h') {
        fputs(usage->help, stdout);
        *status = 0;
        return -2;
    }
    if (option == '?' || option == ':') {
        complain(usage, option, argv);
        *status = MNEME_BAD_INPUT;
        return -2;
    }
    return option;
}

bool arguments_operands(const struct usage *usage, int argc, char *const *argv) {
    int given = argc - optind;
    if (given == usage->n_operands) return true;
    if (given > usage->n_operands) {
        fprintf(stderr, "mneme %s: unexpected argument %s (see mneme %s --help)\n", usage->command,
                argv[optind + usage->n_operands], usage->command);
    } else {
        fprintf(stderr, "mneme %s: an argument is missing (see mneme %s --help)\n", usage->command,
                usage->command);
    }
    return false;
}

int arguments_report(const struct usage *usage, const mneme_error *error) {
    fprintf(stderr, "mneme %s: %s\n", usage->command, error->message);
    return (int)error->status;
}

bool arguments_count(const struct usage *usage, const char *option, const char *text,
                     size_t *count) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value > SIZE_MAX / 2) {
        fprintf(stderr, "mneme %s: --%s %s: must be a number\n", usage->command, option, text);
        return false;
    }
    *count = (size_t)value;
    return true;
}

bool arguments_override(const struct usage *usage, const char *text, struct overrides *overrides) {
    if (overrides->n == MAX_OVERRIDES) {
        fprintf(stderr, "mneme %s: more than %d times --set\n", usage->command, MAX_OVERRIDES);
        return false;
    }
    overrides->list[overrides->n++] = text;
    return true;
}

void arguments_run_directory(const char *recipe, char *directory, size_t size) {
    const char *slash = strrchr(recipe, '/');
    const char *name = slash == NULL ? recipe : slash + 1;
    size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, ".json") == 0) length -= 5;
    snprintf(directory, size, "runs/%.*s", (int)length, name);
}
