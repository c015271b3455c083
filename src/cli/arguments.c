#include "cli/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* getopt's value for --help; an option of the table has its place in it, from 1. */
#define OPTION_HELP 1000
#define MAX_OPTIONS 24

static int refuse(const struct usage *usage, bool see_help, const char *format, va_list arguments) {
    fprintf(stderr, "mneme %s: ", usage->command);
    vfprintf(stderr, format, arguments);
    if (see_help) fprintf(stderr, " (see mneme %s --help)", usage->command);
    fputc('\n', stderr);
    return MNEME_BAD_INPUT;
}

int arguments_refuse(const struct usage *usage, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    refuse(usage, true, format, arguments);
    va_end(arguments);
    return MNEME_BAD_INPUT;
}

/* Says what is wrong with a value; false. */
static bool wrong(const struct usage *usage, const char *format, ...) MNEME_PRINTF(2, 3);

static bool wrong(const struct usage *usage, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    refuse(usage, false, format, arguments);
    va_end(arguments);
    return false;
}

int arguments_report(const struct usage *usage, const mneme_error *error) {
    wrong(usage, "%s", error->message);
    return (int)error->status;
}

/* What getopt_long's '?' or ':' means; it tells by optopt: 0 for an unknown long option, the letter
 * for an unknown short one, its own value for a long one that takes none and got one. */
static int complain(const struct usage *usage, int option, char *const *argv) {
    const char *given = argv[optind - 1];
    if (option == ':') return arguments_refuse(usage, "a value is missing after %s", given);
    if (optopt == 0) return arguments_refuse(usage, "unknown option %s", given);
    if (optopt <= MAX_OPTIONS || optopt == OPTION_HELP) {
        return arguments_refuse(usage, "the option takes no value: %s", given);
    }
    return arguments_refuse(usage, "unknown option -%c", optopt);
}

static bool parse_count(const struct usage *usage, const char *option, const char *text,
                        size_t *count) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value > SIZE_MAX / 2) {
        return wrong(usage, "--%s %s: must be a number", option, text);
    }
    *count = (size_t)value;
    return true;
}

static bool has_room(const struct usage *usage, const char *option, size_t n) {
    if (n < MAX_REPEATS) return true;
    return wrong(usage, "more than %d times --%s", MAX_REPEATS, option);
}

bool arguments_append(const struct usage *usage, const char *option, const char *text,
                      struct texts *texts) {
    if (!has_room(usage, option, texts->n)) return false;
    texts->list[texts->n++] = text;
    return true;
}

static bool take_value(const struct usage *usage, const struct argument *option,
                       const char *value) {
    if (option->flag != NULL) *option->flag = true;
    if (option->text != NULL) *option->text = value;
    if (option->optional != NULL) *option->optional = (struct optional_text){true, value};
    if (option->count != NULL) return parse_count(usage, option->name, value, option->count);
    if (option->texts != NULL) return arguments_append(usage, option->name, value, option->texts);
    struct counts *counts = option->counts;
    if (counts == NULL) return true;
    return has_room(usage, option->name, counts->n) &&
           parse_count(usage, option->name, value, &counts->list[counts->n++]);
}

static void list_options(const struct argument *options, struct option list[MAX_OPTIONS + 2]) {
    int n = 0;
    for (; n < MAX_OPTIONS && options[n].name != NULL; n++) {
        int takes = options[n].flag != NULL       ? no_argument
                    : options[n].optional != NULL ? optional_argument
                                                  : required_argument;
        list[n] = (struct option){options[n].name, takes, NULL, n + 1};
    }
    list[n] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    list[n + 1] = (struct option){0};
}

bool arguments_options(const struct usage *usage, const struct argument *options, int argc,
                       char **argv, int *status) {
    struct option list[MAX_OPTIONS + 2];
    list_options(options, list);
    opterr = 0;
    *status = MNEME_BAD_INPUT;
    for (int option; (option = getopt_long(argc, argv, ":h", list, NULL)) != -1;) {
        if (option == OPTION_HELP || option == 'h') {
            fputs(usage->help, stdout);
            *status = 0;
            return false;
        }
        if (option == '?' || option == ':') return complain(usage, option, argv) == 0;
        if (!take_value(usage, &options[option - 1], optarg)) return false;
    }
    return true;
}

bool arguments_operands(const struct usage *usage, int n, int argc, char *const *argv,
                        int *status) {
    int given = argc - optind;
    if (given == n) return true;
    *status = given > n ? arguments_refuse(usage, "unexpected argument %s", argv[optind + n])
                        : arguments_refuse(usage, "an argument is missing");
    return false;
}

static bool is_given(const struct argument *option) {
    return (option->text == NULL || *option->text != NULL) &&
           (option->count == NULL || *option->count > 0);
}

bool arguments_parse(const struct usage *usage, const struct argument *options, int argc,
                     char **argv, int *status) {
    if (!arguments_options(usage, options, argc, argv, status)) return false;
    if (!arguments_operands(usage, usage->n_operands, argc, argv, status)) return false;
    for (; options->name != NULL; options++) {
        if (!options->needed || is_given(options)) continue;
        *status = arguments_refuse(usage, "--%s is needed", options->name);
        return false;
    }
    return true;
}

void arguments_run_directory(const char *recipe, char *directory, size_t size) {
    const char *slash = strrchr(recipe, '/');
    const char *name = slash == NULL ? recipe : slash + 1;
    size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, ".json") == 0) length -= 5;
    snprintf(directory, size, "runs/%.*s", (int)length, name);
}
