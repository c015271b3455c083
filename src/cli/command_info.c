#include <stdio.h>
#include <string.h>

#include <mneme/info.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_print.h"

static const char help[] =
    "mneme info [--json]\n"
    "\n"
    "The CPU, the instruction set in use (MNEME_ISA chooses another), threads and why as many\n"
    "(OMP_NUM_THREADS chooses others), and the versions that results may depend on.\n"
    "\n"
    "  --json   as JSON\n";

static const struct usage usage = {"info", help, 0};

static void print_member(const char *key, const char *value, const char *end) {
    printf("  \"%s\": ", key);
    json_print_string(stdout, value);
    fputs(end, stdout);
}

/* A JSON list of the words. */
static void print_words(const char *words) {
    putchar('[');
    for (const char *word = words; *word != '\0'; word += strspn(word, " ")) {
        int length = (int)strcspn(word, " ");
        printf("%s\"%.*s\"", word > words ? ", " : "", length, word);
        word += length;
    }
    putchar(']');
}

static void print_json(const mneme_info *info) {
    printf("{\n");
    print_member("version", info->version, ",\n");
    printf("  \"contract\": %d,\n", info->contract);
    print_member("cpu", info->cpu, ",\n");
    print_member("isa", info->isa, ",\n");
    printf("  \"isas\": ");
    print_words(info->isas);
    printf(",\n");
    printf("  \"threads\": %zu,\n", info->threads);
    print_member("threads_reason", info->threads_reason, ",\n");
    print_member("compiler", info->compiler, ",\n");
    printf("  \"libraries\": {");
    for (size_t i = 0; i < info->n_libraries; i++) {
        printf("%s\"%s\": ", i > 0 ? ", " : "", info->libraries[i].name);
        json_print_string(stdout, info->libraries[i].version);
    }
    printf("}\n}\n");
}

static void print_text(const mneme_info *info) {
    printf("mneme %s, arithmetic contract %d\n", info->version, info->contract);
    printf("cpu       %s\n", info->cpu);
    printf("isa       %s (available: %s)\n", info->isa,
           info->isas[0] == '\0' ? "none" : info->isas);
    printf("threads   %zu (%s)\n", info->threads, info->threads_reason);
    printf("compiler  %s\n", info->compiler);
    for (size_t i = 0; i < info->n_libraries; i++) {
        printf("%-9s %s\n", info->libraries[i].name, info->libraries[i].version);
    }
}

int command_info(int argc, char **argv) {
    bool json = false;
    int status;
    const struct argument options[] = {{"json", .flag = &json}, {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
    mneme_info info;
    mneme_error error = {0};
    mneme_status done = mneme_info_get(&info, &error);
    if (json) {
        print_json(&info);
    } else {
        print_text(&info);
    }
    return done == MNEME_OK ? 0 : arguments_report(&usage, &error);
}
