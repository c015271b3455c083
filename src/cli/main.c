#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <mneme/error.h>
#include <mneme/version.h>

#include "cli/commands.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"run", command_run, "run a recipe: pretrain, teach new facts, compare what was forgotten"},
    {"generate", command_generate, "continue a prompt with a model"},
    {"digest", command_digest, "SHA-256 of a model's tensors"},
    {"info", command_info, "CPU, instruction set, threads, versions"},
};

#define N_COMMANDS (sizeof commands / sizeof *commands)

static void print_help(FILE *stream) {
    fputs(
        "mneme: memory-layer transformers on CPUs, the same bits everywhere\n\n"
        "usage: mneme COMMAND [OPTIONS]\n\n",
        stream);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    fputs(
        "\nmneme COMMAND --help tells more. Exit status: 0 done, 1 failed, 2 bad usage or input.\n",
        stream);
}

int main(int argc, char **argv) {
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error with a message */
    if (argc < 2) {
        print_help(stderr);
        return MNEME_BAD_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("mneme %s\n", MNEME_VERSION);
        return 0;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "mneme: unknown command %s (see mneme --help)\n", argv[1]);
    return MNEME_BAD_INPUT;
}
