#include <stdio.h>
#include <stdlib.h>

#include <mneme/sweep.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/print_file.h"
#include "cli/progress.h"

static const char help[] =
    "mneme sweep RECIPE [--dir DIR] [--set KEY=VALUE]... [--json]\n"
    "\n"
    "Runs the grids of a recipe's `sweep` (docs/experiments.md): many finetunings from the same\n"
    "base, by several methods and settings, and compares what they learned and forgot.\n"
    "Pretraining and background are made once per run folder; finetunings that the folder already\n"
    "holds, of this sweep or another, are not done again, so that a sweep that was killed goes "
    "on.\n"
    "\n"
    "  --dir DIR        the folder (default: runs/NAME, from the recipe's file name); sweeps of\n"
    "                   the same base can share one\n"
    "  --set KEY=VALUE  replaces a recipe key, such as corpus.new_facts=100 (docs/recipes.md)\n"
    "  --json           prints sweep.json instead of the comparison\n"
    "\n"
    "The folder gets sweep.md, sweep.json, sweep.csv, sweep.svg and .png, and stream.svg and .png\n"
    "of what was evaluated along the stream (finetune.evaluate_every). Progress is shown on\n"
    "standard error: a bar on a terminal, elsewhere a line a minute, or every MNEME_PROGRESS\n"
    "seconds (0: none).\n";

enum { OPTION_DIR = 1, OPTION_SET, OPTION_JSON };

static const struct option options[] = {{"dir", required_argument, NULL, OPTION_DIR},
                                        {"set", required_argument, NULL, OPTION_SET},
                                        {"json", no_argument, NULL, OPTION_JSON},
                                        {0}};

static const struct usage usage = {"sweep", help, options, 1};

struct sweep_arguments {
    const char *directory;
    struct overrides overrides;
    bool json;
};

/* False when the command is to end with *status. */
static bool parse(int argc, char **argv, struct sweep_arguments *arguments, int *status) {
    for (int option; (option = arguments_next(&usage, argc, argv, status)) != -1;) {
        if (option == -2) return false;
        if (option == OPTION_DIR) arguments->directory = optarg;
        if (option == OPTION_JSON) arguments->json = true;
        if (option != OPTION_SET) continue;
        *status = MNEME_BAD_INPUT;
        if (!arguments_override(&usage, optarg, &arguments->overrides)) return false;
    }
    *status = MNEME_BAD_INPUT;
    return arguments_operands(&usage, argc, argv);
}

int command_sweep(int argc, char **argv) {
    struct sweep_arguments arguments = {0};
    char directory[1024];
    int status;
    if (!parse(argc, argv, &arguments, &status)) return status;
    const char *recipe = argv[optind];
    if (arguments.directory == NULL) {
        arguments_run_directory(recipe, directory, sizeof directory);
        arguments.directory = directory;
    }
    struct progress_bar bar;
    progress_bar_open(&bar);
    const mneme_run_options sweep = {.recipe = recipe,
                                     .overrides = arguments.overrides.list,
                                     .n_overrides = arguments.overrides.n,
                                     .directory = arguments.directory,
                                     .progress = progress_bar_show,
                                     .user = &bar};
    mneme_error error = {0};
    char *report;
    mneme_status done = mneme_sweep(&sweep, &report, &error);
    progress_bar_close(&bar);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    if (arguments.json) {
        status = print_file(&usage, arguments.directory, "sweep.json");
    } else {
        printf("%s\nreport: %s/sweep.md  picture: %s/sweep.png\n", report, arguments.directory,
               arguments.directory);
        status = 0;
    }
    free(report);
    return status;
}
