#include <stdio.h>
#include <unistd.h>

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

static const struct usage usage = {"trace", help, 1};

int command_trace(int argc, char **argv) {
    mneme_trace_options trace = {.stage = "pretrain"};
    struct texts overrides = {0};
    struct measuring measuring = {0};
    struct progress_bar bar;
    mneme_trace_result result;
    mneme_error error = {0};
    int status;
    const struct argument options[] = {{"step", .count = &trace.step, .needed = true},
                                       {"out", .text = &trace.output, .needed = true},
                                       {"stage", .text = &trace.stage},
                                       {"set", .texts = &overrides},
                                       MEASURING_OPTIONS(&measuring),
                                       {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
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
