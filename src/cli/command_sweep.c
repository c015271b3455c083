#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mneme/sweep.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/measuring.h"
#include "cli/print_file.h"
#include "cli/print_plan.h"
#include "cli/progress.h"

static const char help[] =
    "mneme sweep RECIPE [--dir DIR] [--set KEY=VALUE]... [--plan] [--json]\n"
    "            " MEASURING_USAGE
    "\n"
    "\n"
    "Runs the grids of a recipe's `sweep` (docs/experiments.md): many finetunings from the same\n"
    "base, by several methods and settings, and compares what they learned and forgot.\n"
    "Pretraining and background are made once per run folder. Finetunings that the folder already\n"
    "has, of this sweep or another, are skipped, so that a sweep that was killed continues.\n"
    "\n"
    "  --dir DIR        the folder (default: runs/NAME, from the recipe's file name); sweeps of\n"
    "                   the same base can share one\n"
    "  --set KEY=VALUE  replaces a recipe key, such as corpus.new_facts=100 (docs/recipes.md)\n"
    PLAN_HELP("           ")
    "  --json           prints sweep.json instead of the comparison\n" MEASURING_HELP
    "\n"
    "The folder gets sweep.md, sweep.json, sweep.csv, sweep.svg and .png, and stream.svg and .png\n"
    "of what was evaluated along the stream (finetune.evaluate_every). Progress is shown on\n"
    "standard error: a bar on a terminal, elsewhere a line a minute, or every MNEME_PROGRESS\n"
    "seconds (0: none).\n";

static const struct usage usage = {"sweep", help, 1};

int command_sweep(int argc, char **argv) {
    char directory[1024];
    bool json = false, plan = false;
    struct texts overrides = {0};
    struct measuring measuring = {0};
    struct progress_bar bar;
    mneme_run_options sweep = {.progress = progress_bar_show, .user = &bar};
    int status;
    const struct argument options[] = {
        {"dir", .text = &sweep.directory}, {"set", .texts = &overrides},  {"json", .flag = &json},
        {"plan", .flag = &plan},           MEASURING_OPTIONS(&measuring), {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
    sweep.recipe = argv[optind];
    sweep.overrides = overrides.list;
    sweep.n_overrides = overrides.n;
    arguments_run_directory(sweep.recipe, directory, sizeof directory);
    if (sweep.directory == NULL) sweep.directory = directory;
    mneme_error error = {0};
    char *report;
    if (plan) {
        mneme_status found = mneme_sweep_plan(&sweep, json, &report, &error);
        return print_plan(&usage, found, report, &error);
    }
    status = measuring_begin(&usage, &measuring);
    if (status != 0) return status;
    progress_bar_open(&bar);
    mneme_status done = mneme_sweep(&sweep, &report, &error);
    progress_bar_close(&bar);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    if (json) {
        status = print_file(&usage, sweep.directory, "sweep.json");
    } else {
        printf("%s\nreport: %s/sweep.md  picture: %s/sweep.png\n", report, sweep.directory,
               sweep.directory);
    }
    free(report);
    return measuring_end(&usage, &measuring, status);
}
