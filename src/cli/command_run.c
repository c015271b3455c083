#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/run.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/measuring.h"
#include "cli/print_file.h"
#include "cli/progress.h"

static const char help[] =
    "mneme run RECIPE [--dir DIR] [--set KEY=VALUE]... [--expect FILE]\n"
    "          [--matmul canonical|onednn] [--json] " MEASURING_USAGE
    "\n"
    "\n"
    "Pretrains the recipe's model, teaches it new facts by each of its methods, asks it\n"
    "questions before and after, and compares what the methods learned and forgot.\n"
    "Work that the run folder already holds is not done again; a run that was killed goes\n"
    "on from its last checkpoint and ends with the same bits.\n"
    "\n"
    "  --dir DIR        the run folder (default: runs/NAME, from the recipe's file name)\n"
    "  --set KEY=VALUE  replaces a recipe key, such as pretrain.steps=100 (docs/recipes.md)\n"
    "  --expect FILE    compares the digests with the file's (data/expected/); others than these\n"
    "                   are a failure\n"
    "  --matmul onednn  dense products by oneDNN, for comparing: such a run is marked as not\n"
    "                   canonical, since its bits depend on library, CPU and threads\n"
    "  --json           prints the run folder's report.json instead of the table\n" MEASURING_HELP
    "                   (default of FILE: profile.json in the run folder)\n"
    "\n"
    "The folder gets report.md, report.json, tradeoff.svg and .png, and the models. Progress is\n"
    "shown on standard error: a bar on a terminal, elsewhere a line a minute, or every\n"
    "MNEME_PROGRESS seconds (0: none).\n";

enum { OPTION_DIR = 1, OPTION_SET, OPTION_EXPECT, OPTION_JSON, OPTION_MATMUL };

static const struct option options[] = {{"dir", required_argument, NULL, OPTION_DIR},
                                        {"set", required_argument, NULL, OPTION_SET},
                                        {"expect", required_argument, NULL, OPTION_EXPECT},
                                        {"json", no_argument, NULL, OPTION_JSON},
                                        {"matmul", required_argument, NULL, OPTION_MATMUL},
                                        MEASURING_OPTIONS,
                                        {0}};

static const struct usage usage = {"run", help, options, 1};

struct run_arguments {
    const char *directory;
    const char *expected;
    struct overrides overrides;
    char matmul[64]; /* as an override */
    struct measuring measuring;
    bool json;
};

/* False when the command is to end with *status. */
static bool parse(int argc, char **argv, struct run_arguments *arguments, int *status) {
    for (int option; (option = arguments_next(&usage, argc, argv, status)) != -1;) {
        if (option == -2) return false;
        if (option == OPTION_DIR) arguments->directory = optarg;
        if (option == OPTION_EXPECT) arguments->expected = optarg;
        if (option == OPTION_JSON) arguments->json = true;
        const char *override = option == OPTION_SET ? optarg : NULL;
        if (option == OPTION_MATMUL) {
            snprintf(arguments->matmul, sizeof arguments->matmul, "matmul=%s", optarg);
            override = arguments->matmul;
        }
        bool fine = measuring_option(&usage, option, &arguments->measuring);
        if (override != NULL) fine = arguments_override(&usage, override, &arguments->overrides);
        if (fine) continue;
        *status = MNEME_BAD_INPUT;
        return false;
    }
    *status = MNEME_BAD_INPUT;
    return arguments_operands(&usage, argc, argv);
}

static int print_result(const struct run_arguments *arguments, const char *table,
                        bool as_expected) {
    if (arguments->json) return print_file(&usage, arguments->directory, "report.json");
    puts(table);
    if (as_expected && arguments->expected != NULL) {
        printf("the same as in %s: this is the result that everyone gets\n\n", arguments->expected);
    }
    printf("report: %s/report.md  picture: %s/tradeoff.png\n", arguments->directory,
           arguments->directory);
    return 0;
}

int command_run(int argc, char **argv) {
    struct run_arguments arguments = {0};
    char directory[1024];
    int status;
    if (!parse(argc, argv, &arguments, &status)) return status;
    const char *recipe = argv[optind];
    if (arguments.directory == NULL) {
        arguments_run_directory(recipe, directory, sizeof directory);
        arguments.directory = directory;
    }
    status = measuring_begin(&usage, &arguments.measuring);
    if (status != 0) return status;
    struct progress_bar bar;
    progress_bar_open(&bar);
    mneme_run_options run = {.recipe = recipe,
                             .overrides = arguments.overrides.list,
                             .n_overrides = arguments.overrides.n,
                             .directory = arguments.directory,
                             .expected = arguments.expected,
                             .progress = progress_bar_show,
                             .user = &bar};
    mneme_error error = {0};
    char *table;
    mneme_status done = mneme_run(&run, &table, &error);
    progress_bar_close(&bar);
    status = table == NULL ? 0 : print_result(&arguments, table, done == MNEME_OK);
    free(table);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    char profile[4096];
    snprintf(profile, sizeof profile, "%s/profile.json", arguments.directory);
    if (arguments.measuring.file == NULL) arguments.measuring.file = profile;
    return measuring_end(&usage, &arguments.measuring, status);
}
