/* The program: finds the command, runs it, and sees that what it printed arrived. */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <mneme/error.h>
#include <mneme/info.h>
#include <mneme/version.h>

#include "cli/commands.h"
#include "cli/spin_count.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
#define COMMAND(name, summary) {#name, command_##name, summary},
#include "cli/commands.def"
#undef COMMAND
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

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) return &commands[i];
    }
    return NULL;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Levenshtein's distance; a word longer than any command's name is far from all. */
static size_t edit_distance(const char *typed, const char *name) {
    size_t row[16];
    size_t length = strlen(name);
    if (length >= sizeof row / sizeof *row) return SIZE_MAX;
    for (size_t j = 0; j <= length; j++) row[j] = j;
    for (size_t i = 0; typed[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t replaced = diagonal + (typed[i] != name[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(replaced, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[length];
}

static int refuse_command(const char *typed) {
    const char *closest = NULL;
    size_t closest_distance = 3; /* further away it is another word */
    for (size_t i = 0; i < N_COMMANDS; i++) {
        size_t distance = edit_distance(typed, commands[i].name);
        if (distance >= least(closest_distance, strlen(commands[i].name))) continue;
        closest = commands[i].name;
        closest_distance = distance;
    }
    fprintf(stderr, "mneme: unknown command %s", typed);
    if (closest != NULL) fprintf(stderr, "; did you mean %s?", closest);
    fputs(" (see mneme --help)\n", stderr);
    return MNEME_BAD_INPUT;
}

static int run_command(int argc, char **argv) {
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("mneme %s\n", MNEME_VERSION);
        return 0;
    }
    const struct command *command = find_command(argv[1]);
    if (command == NULL) return refuse_command(argv[1]);
    mneme_error error = {0};
    mneme_status status = mneme_threads_choose(&error);
    if (status == MNEME_OK) return command->run(argc - 1, argv + 1);
    fprintf(stderr, "mneme %s: %s\n", command->name, error.message);
    return (int)status;
}

int main(int argc, char **argv) {
    spin_count_restore_environment();
    if (argc < 2) {
        print_help(stderr);
        return MNEME_BAD_INPUT;
    }
    /* A file that reaches a limit is an error with a message, as a full disk is. */
    signal(SIGXFSZ, SIG_IGN);
    int status = run_command(argc, argv);
    bool lost = ferror(stdout) != 0;
    lost |= fclose(stdout) != 0;
    if (lost && status == 0) {
        fprintf(stderr, "mneme: standard output: cannot be written: %s\n", strerror(errno));
        status = MNEME_FAILED;
    }
    return status;
}
