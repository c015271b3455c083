#include <stdio.h>

#include <mneme/verify.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/measuring.h"
#include "cli/progress.h"

static const char help[] =
    "mneme trace RUN --step STEP --out FILE [--stage STAGE] [--set KEY=VALUE]...\n"
    "            " MEASURING_USAGE
    "\n"
    "\n"
    "Repeats a run up to a step and writes every tensor of that step as safetensors: forward\n"
    "activations, gradients, updated weights, numbered in the order of computation. Two such\n"
    "files, from two machines or builds, are compared by mneme diff.\n"
    "\n"
    "  --step STEP      the step, from 1\n"
    "  --out FILE       the file to write\n"
    "  --stage STAGE    pretrain (default), smf/lr-300, ...\n"
    "  --set KEY=VALUE  where an input file is now, such as corpus.world=PATH\n" MEASURING_HELP;

enum { OPTION_STEP = 1, OPTION_OUT, OPTION_STAGE, OPTION_SET };

static const struct option options[] = {{"step", required_argument, NULL, OPTION_STEP},
                                        {"out", required_argument, NULL, OPTION_OUT},
                                        {"stage", required_argument, NULL, OPTION_STAGE},
                                        {"set", required_argument, NULL, OPTION_SET},
                                        MEASURING_OPTIONS,
                                        {0}};

static const struct usage usage = {"trace", help, options, 1};

static bool parse(int argc, char **argv, mneme_trace_options *trace, struct overrides *overrides,
                  struct measuring *measuring, int *status) {
    for (int option; (option = arguments_next(&usage, argc, argv, status)) != -1;) {
        if (option == -2) return false;
        bool fine = measuring_option(&usage, option, measuring);
        if (option == OPTION_STEP) fine = arguments_count(&usage, "step", optarg, &trace->step);
        if (option == OPTION_OUT) trace->output = optarg;
        if (option == OPTION_STAGE) trace->stage = optarg;
        if (option == OPTION_SET) fine = arguments_override(&usage, optarg, overrides);
        if (fine) continue;
        *status = MNEME_BAD_INPUT;
        return false;
    }
    *status = MNEME_BAD_INPUT;
    if (!arguments_operands(&usage, argc, argv)) return false;
    if (trace->step > 0 && trace->output != NULL) return true;
    fputs("mneme trace: --step and --out are needed (see mneme trace --help)\n", stderr);
    return false;
}

int command_trace(int argc, char **argv) {
    mneme_trace_options trace = {.stage = "pretrain"};
    struct overrides overrides = {0};
    struct measuring measuring = {0};
    struct progress_bar bar;
    mneme_trace_result result;
    mneme_error error = {0};
    int status;
    if (!parse(argc, argv, &trace, &overrides, &measuring, &status)) return status;
    status = measuring_begin(&usage, &measuring);
    if (status != 0) return status;
    progress_bar_open(&bar);
    trace.directory = argv[optind];
    trace.overrides = overrides.list;
    trace.n_overrides = overrides.n;
    trace.progress = progress_bar_show;
    trace.user = &bar;
    mneme_status done = mneme_trace(&trace, &result, &error);
    progress_bar_close(&bar);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    printf("%s: %zu tensors of step %zu of %s\n", trace.output, result.n_tensors, trace.step,
           trace.stage);
    if (result.different_step > 0) {
        printf("this engine does not repeat the run: step %zu differs from its trail\n",
               result.different_step);
    }
    return measuring_end(&usage, &measuring, 0);
}
