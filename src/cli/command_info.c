#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/info.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_print.h"

static const char help[] =
    "mneme info [MODEL] [--json]\n"
    "\n"
    "Of the model in the folder MODEL: its architecture, memory, tokenizer and background,\n"
    "parameters by part, bytes on disk and in memory, digest, and what a token takes in\n"
    "operations and bytes (docs/sizes.md). Without one, what mneme runs on:\n"
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

static int print_model(const char *folder, bool json) {
    mneme_error error = {0};
    char *text;
    mneme_status done = mneme_model_info(folder, json, &text, &error);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    fputs(text, stdout);
    free(text);
    return 0;
}

int command_info(int argc, char **argv) {
    bool json = false;
    int status;
    const struct argument options[] = {{"json", .flag = &json}, {0}};
    if (!arguments_options(&usage, options, argc, argv, &status)) return status;
    const int n_models = optind < argc ? 1 : 0;
    if (!arguments_operands(&usage, n_models, argc, argv, &status)) return status;
    if (n_models > 0) return print_model(argv[optind], json);
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
