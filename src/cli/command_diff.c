#include <stdio.h>
#include <unistd.h>

#include <mneme/diff.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/diff_print.h"
#include "cli/diff_replay.h"
#include "cli/measuring.h"

static const char help[] =
    "mneme diff A B [--engine-a PROGRAM] [--engine-b PROGRAM] [--trails] [--all] [--json]\n"
    "           " MEASURING_USAGE
    "\n"
    "\n"
    "Where two runs first differ, or two .safetensors files or model folders. For runs, the\n"
    "trails give the step; both are then replayed from their last common checkpoint, and the\n"
    "first tensor (forward, gradients, weights) and element that differ are shown, with the\n"
    "distance in ULP. Where the trails are the same, models, scores, answers, backgrounds and\n"
    "reports are compared, too, and each folder's files with its SHA256SUMS.\n"
    "\n"
    "  --engine-a, --engine-b PROGRAM   the mneme that made the run and replays it, such as\n"
    "                   another build (default: this one)\n"
    "  --set KEY=VALUE  where an input file is now, such as corpus.world=PATH\n"
    "  --trails         compares only the trails\n"
    "  --all            shows all tensors that differ, not the first 20\n"
    "  --json           as JSON\n" MEASURING_HELP
    "\n"
    "For runs of two machines, make a file with mneme trace on each, and compare the files.\n"
    "Exit status: 0 the same, 1 different or failed, 2 bad usage or input.\n";

static const struct usage usage = {"diff", help, 2};

struct diff_arguments {
    const char *engine_a, *engine_b;
    struct texts overrides;
    struct measuring measuring;
    bool trails_only, all, json;
};

static bool parse(int argc, char **argv, struct diff_arguments *a, int *status) {
    const struct argument options[] = {
        {"engine-a", .text = &a->engine_a}, {"engine-b", .text = &a->engine_b},
        {"set", .texts = &a->overrides},    {"trails", .flag = &a->trails_only},
        {"all", .flag = &a->all},           {"json", .flag = &a->json},
        MEASURING_OPTIONS(&a->measuring),   {0}};
    if (!arguments_parse(&usage, options, argc, argv, status)) return false;
    if (!a->measuring.pin || (a->engine_a == NULL && a->engine_b == NULL)) return true;
    /* The other program would inherit the one CPU of this one's first thread. */
    *status = arguments_refuse(&usage, "--pin: not with another engine");
    return false;
}

static bool is_run(const char *path) {
    char recipe[4096];
    snprintf(recipe, sizeof recipe, "%s/recipe.json", path);
    return access(recipe, F_OK) == 0;
}

static void print(const struct diff_arguments *arguments, const struct diff_findings *findings) {
    if (arguments->json) {
        diff_print_json(findings);
    } else {
        diff_print_text(findings, arguments->all);
    }
}

static int compare_runs(const struct diff_arguments *arguments, const char *a, const char *b) {
    mneme_error error = {0};
    mneme_trail_difference trails;
    struct diff_replay replay = {.a = {.directory = a, .engine = arguments->engine_a},
                                 .b = {.directory = b, .engine = arguments->engine_b},
                                 .overrides = &arguments->overrides};
    struct diff_findings findings = {.trails = &trails};
    mneme_status done = mneme_diff_trails(a, b, &trails, &error);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    if (trails.differ && trails.a != NULL && trails.b != NULL && !arguments->trails_only) {
        replay.stage = trails.stage;
        done = diff_replay_run(&replay, trails.common, trails.step, &error);
        if (done == MNEME_OK) findings.replay = &replay;
    }
    print(arguments, &findings);
    int status = trails.differ ? MNEME_FAILED : 0;
    if (done != MNEME_OK) status = arguments_report(&usage, &error);
    mneme_tensors_difference_free(&replay.tensors);
    mneme_trail_difference_free(&trails);
    return status;
}

static int compare_tensors(const struct diff_arguments *arguments, const char *a, const char *b) {
    mneme_error error = {0};
    mneme_tensors_difference tensors;
    struct diff_findings findings = {.tensors = &tensors};
    if (mneme_diff_tensors(a, b, &tensors, &error) != MNEME_OK) {
        return arguments_report(&usage, &error);
    }
    print(arguments, &findings);
    int status = tensors.n_different > 0 ? MNEME_FAILED : 0;
    mneme_tensors_difference_free(&tensors);
    return status;
}

int command_diff(int argc, char **argv) {
    struct diff_arguments arguments = {0};
    int status;
    if (!parse(argc, argv, &arguments, &status)) return status;
    const char *a = argv[optind], *b = argv[optind + 1];
    status = measuring_begin(&usage, &arguments.measuring);
    if (status != 0) return status;
    status =
        is_run(a) || is_run(b) ? compare_runs(&arguments, a, b) : compare_tensors(&arguments, a, b);
    return status == MNEME_BAD_INPUT ? status : measuring_end(&usage, &arguments.measuring, status);
}
