#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/common/internal.h"

#define MAX_ROUNDS 999

bool name_contains(const char *name, const char *text) {
    if (text == NULL) return true;
    for (const char *word = text; *word != '\0'; word += *word == '|') {
        size_t length = strcspn(word, "|");
        for (const char *at = name; *at != '\0'; at++) {
            if (strncmp(at, word, length) == 0) return true;
        }
        word += length;
    }
    return false;
}

static void help(const struct bench_program *program) {
    printf(
        "perf_%s: %s\n\n"
        "  --rounds N   turns of every contestant (7 or more; default 7)\n"
        "  --seconds S  length of a turn (default 0.03)\n"
        "  --quick      fewer cases\n"
        "  --list       the names of the cases\n"
        "  --case TEXT  only cases whose name contains TEXT (or one of A|B)\n"
        "  --json       as JSON\n"
        "  --serve CASE run this case as a peer commands on standard input: run, run N, check\n\n"
        "OMP_NUM_THREADS and MNEME_ISA choose threads and instruction set.\n",
        program->name, program->what);
}

static void take(struct bench_options *options, int option) {
    if (option == 'r') options->rounds = strtoul(optarg, NULL, 10);
    if (option == 't') options->seconds = strtod(optarg, NULL);
    if (option == 'j') options->json = true;
    if (option == 'q') options->quick = true;
    if (option == 'l') options->list = true;
    if (option == 'c') options->only = optarg;
    if (option == 's') options->serve = optarg;
}

struct bench_options options_parse(const struct bench_program *program, int argc, char **argv) {
    static const struct option known[] = {{"rounds", required_argument, NULL, 'r'},
                                          {"seconds", required_argument, NULL, 't'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"quick", no_argument, NULL, 'q'},
                                          {"list", no_argument, NULL, 'l'},
                                          {"case", required_argument, NULL, 'c'},
                                          {"serve", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct bench_options options = {.rounds = 7, .seconds = 0.03};
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == 'h') {
            help(program);
            exit(0);
        }
        if (option == '?') exit(2);
        take(&options, option);
    }
    if (optind == argc && options.rounds >= 7 && options.rounds <= MAX_ROUNDS &&
        options.seconds >= 0.0 && options.seconds < 1000.0) {
        return options;
    }
    fprintf(stderr, "perf_%s: wrong arguments (see --help)\n", program->name);
    exit(2);
}
