#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/run.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/measuring.h"
#include "cli/print_file.h"
#include "cli/print_plan.h"
#include "cli/progress.h"

static const char help[] =
    "mneme run RECIPE [--dir DIR] [--set KEY=VALUE]... [--expect FILE]\n"
    "          [--matmul canonical|onednn] [--plan] [--json] " MEASURING_USAGE
    "\n"
    "mneme run --keys [--json]\n"
    "\n"
    "Pretrains the recipe's model, teaches it new facts by each of its methods, asks it\n"
    "questions before and after, and compares what the methods learned and forgot.\n"
    "Work that the run folder already has is skipped; a run that was killed continues from\n"
    "its last checkpoint and ends with the same bits. Rates and methods may change on one base. A\n"
    "finetuning that diverges is a row that says so; the exit status is 0 all the same.\n"
    "\n"
    "  --dir DIR        the run folder (default: runs/NAME, from the recipe's file name)\n"
    "  --set KEY=VALUE  replaces a recipe key, such as pretrain.steps=100 (docs/recipes.md)\n"
    "  --expect FILE    fails if the digests are not those in FILE (data/expected/)\n"
    "  --matmul onednn  computes dense products by oneDNN, for comparison; such a run is marked\n"
    "                   as not canonical, since its bits depend on library, CPU and threads\n"
    PLAN_HELP("           ")
    "  --json           prints the run folder's report.json instead of the table\n"
    "  --keys           prints the keys that a recipe can have, with type, default, range and\n"
    "                   meaning (with --json as JSON), and runs nothing\n" MEASURING_HELP
    "\n"
    "The folder gets report.md, report.json, tradeoff.svg and .png, and the models; with\n"
    "--profile also profile.json, where no other FILE is given. Progress is shown on standard\n"
    "error: a bar on a terminal, elsewhere a line a minute, or every MNEME_PROGRESS seconds\n"
    "(0: none).\n";

static const struct usage usage = {"run", help, 1};

static int print_result(const mneme_run_options *run, const char *table, bool as_expected) {
    puts(table);
    if (as_expected && run->expected != NULL) {
        printf("the same as in %s: this is the result that everyone gets\n\n", run->expected);
    }
    printf("report: %s/report.md  picture: %s/tradeoff.png\n", run->directory, run->directory);
    return 0;
}

static int print_keys(bool as_json) {
    char *keys = mneme_recipe_keys(as_json);
    mneme_error error = {MNEME_FAILED, "out of memory for the keys"};
    if (keys == NULL) return arguments_report(&usage, &error);
    fputs(keys, stdout);
    free(keys);
    return 0;
}

int command_run(int argc, char **argv) {
    char directory[1024], override[64], profile[4096];
    bool json = false, keys = false, plan = false;
    const char *matmul = NULL;
    struct texts overrides = {0};
    struct measuring measuring = {0};
    struct progress_bar bar;
    mneme_run_options run = {.progress = progress_bar_show, .user = &bar};
    int status;
    const struct argument options[] = {{"dir", .text = &run.directory},
                                       {"set", .texts = &overrides},
                                       {"expect", .text = &run.expected},
                                       {"json", .flag = &json},
                                       {"keys", .flag = &keys},
                                       {"matmul", .text = &matmul},
                                       {"plan", .flag = &plan},
                                       MEASURING_OPTIONS(&measuring),
                                       {0}};
    if (!arguments_options(&usage, options, argc, argv, &status)) return status;
    if (!arguments_operands(&usage, keys ? 0 : 1, argc, argv, &status)) return status;
    if (keys) return print_keys(json);
    if (matmul != NULL) {
        snprintf(override, sizeof override, "matmul=%s", matmul);
        if (!arguments_append(&usage, "set", override, &overrides)) return MNEME_BAD_INPUT;
    }
    run.recipe = argv[optind];
    run.overrides = overrides.list;
    run.n_overrides = overrides.n;
    arguments_run_directory(run.recipe, directory, sizeof directory);
    if (run.directory == NULL) run.directory = directory;
    mneme_error error = {0};
    char *table;
    if (plan) {
        mneme_status found = mneme_run_plan(&run, json, &table, &error);
        return print_plan(&usage, found, table, &error);
    }
    status = measuring_begin(&usage, &measuring);
    if (status != 0) return status;
    progress_bar_open(&bar);
    mneme_status done = mneme_run(&run, &table, &error);
    progress_bar_close(&bar);
    if (table != NULL) {
        status = json ? print_file(&usage, run.directory, "report.json")
                      : print_result(&run, table, done == MNEME_OK);
    }
    free(table);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    snprintf(profile, sizeof profile, "%s/profile.json", run.directory);
    if (measuring.profile.text == NULL) measuring.profile.text = profile;
    return measuring_end(&usage, &measuring, status);
}
