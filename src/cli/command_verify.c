#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mneme/reference.h>
#include <mneme/verify.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_print.h"
#include "cli/measuring.h"
#include "cli/progress.h"
#include "cli/reference_print.h"

static const char help[] =
    "mneme verify RUN [--stage STAGE] [--from STEP] [--to STEP] [--cells] [--set KEY=VALUE]...\n"
    "             [--json] " MEASURING_USAGE
    "\n"
    "mneme verify --reference DIR [--case TEXT] [--json]\n"
    "\n"
    "Repeats a run and compares what lies in its folder, bit for bit: files with SHA256SUMS,\n"
    "every step with the trail (learning rate, loss, gradient norm, digests), kept\n"
    "checkpoints, background, models, scores and answers, and the report with the scores. RUN\n"
    "may be a sweep's folder. It is only read. What is not compared is said below its stage.\n"
    "\n"
    "  --stage STAGE    only this stage: files, tokenizer, pretrain, background, smf/lr-300,\n"
    "                   cells/smf-ID, report, ...; of a sweep seed-1/pretrain, ...\n"
    "  --from, --to     compare these steps; the replay starts at the nearest kept\n"
    "                   checkpoint before them (recipe key pretrain.keep_checkpoints)\n"
    "  --cells          repeats a sweep's finetunings, too\n"
    "  --set KEY=VALUE  where an input file is now, such as corpus.world=PATH\n"
    "  --json           as JSON\n" MEASURING_HELP
    "\n"
    "With --reference it compares everything that a model computes with PyTorch's results in\n"
    "float64 and float32 (tests/reference/), on every instruction set of this CPU; a folder of "
    "one's\n"
    "own checks a layer of one's own (docs/reference-folders.md).\n"
    "\n"
    "  --case TEXT      only cases whose name contains this\n"
    "\n"
    "Exit status: 0 the same, 1 different or failed, 2 bad usage or input.\n";

static const struct usage usage = {"verify", help, 1};

struct verify_arguments {
    mneme_verify_options verify;
    mneme_reference_options reference; /* a directory: this, and no run */
    struct texts overrides;
    struct measuring measuring;
    bool json;
};

static bool parse(int argc, char **argv, struct verify_arguments *a, int *status) {
    const struct argument options[] = {{"stage", .text = &a->verify.stage},
                                       {"from", .count = &a->verify.from},
                                       {"to", .count = &a->verify.to},
                                       {"cells", .flag = &a->verify.cells},
                                       {"set", .texts = &a->overrides},
                                       {"json", .flag = &a->json},
                                       {"reference", .text = &a->reference.directory},
                                       {"case", .text = &a->reference.filter},
                                       MEASURING_OPTIONS(&a->measuring),
                                       {0}};
    return arguments_options(&usage, options, argc, argv, status) &&
           arguments_operands(&usage, a->reference.directory == NULL ? 1 : 0, argc, argv, status);
}

static void print_member(const char *name, const char *value) {
    printf(", \"%s\": ", name);
    json_print_string(stdout, value);
}

static void print_json(const mneme_verification *verification) {
    printf("{\"equal\": %s, \"stages\": [", verification->equal ? "true" : "false");
    for (size_t i = 0; i < verification->n_stages; i++) {
        const mneme_verified_stage *stage = &verification->stages[i];
        printf(
            "%s\n  {\"name\": \"%s\", \"start\": %zu, \"first\": %zu, \"last\": %zu, "
            "\"equal\": %s, \"evaluated\": %s",
            i > 0 ? "," : "", stage->name, stage->start, stage->first, stage->last,
            stage->equal ? "true" : "false", stage->evaluated ? "true" : "false");
        if (!stage->equal) {
            printf(", \"different_step\": %zu", stage->different_step);
            print_member("place", stage->place);
            print_member("recorded", stage->recorded);
            print_member("found", stage->found);
        }
        if (stage->not_compared != NULL) print_member("not_compared", stage->not_compared);
        putchar('}');
    }
    puts("]}");
}

static void print_result(const mneme_verified_stage *stage) {
    if (stage->equal) {
        puts(stage->evaluated              ? "the same, with scores and answers"
             : stage->last >= stage->first ? "the same"
                                           : "not compared");
    } else {
        if (stage->different_step > 0) {
            printf("DIFFERENT from step %zu\n", stage->different_step);
        } else {
            printf("DIFFERENT: %s\n", stage->place);
        }
        printf("  recorded %s\n  found    %s\n", stage->recorded, stage->found);
    }
    if (stage->not_compared != NULL) printf("  not compared: %s\n", stage->not_compared);
}

static int name_width(const mneme_verification *verification) {
    size_t width = 16;
    for (size_t i = 0; i < verification->n_stages; i++) {
        size_t length = strlen(verification->stages[i].name);
        if (length > width) width = length;
    }
    return (int)width;
}

static void print_text(const mneme_verification *verification) {
    const int width = name_width(verification);
    printf("%-*s  %-15s  %s\n", width, "stage", "steps", "result");
    for (size_t i = 0; i < verification->n_stages; i++) {
        const mneme_verified_stage *stage = &verification->stages[i];
        char steps[48];
        snprintf(steps, sizeof steps, "%zu to %zu", stage->first, stage->last);
        printf("%-*s  %-15s  ", width, stage->name, stage->last < stage->first ? "none" : steps);
        print_result(stage);
    }
    puts(verification->equal ? "every compared step is the same, bit for bit"
                             : "the folder is not what this engine, here and now, makes of it");
}

/* Each returns the exit status. */
static int verify_run(struct verify_arguments *a, struct progress_bar *bar) {
    mneme_verification verification;
    mneme_error error = {0};
    a->verify.progress = progress_bar_show;
    a->verify.user = bar;
    mneme_status done = mneme_verify(&a->verify, &verification, &error);
    progress_bar_close(bar);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    if (a->json) {
        print_json(&verification);
    } else {
        print_text(&verification);
    }
    int status = verification.equal ? 0 : MNEME_FAILED;
    mneme_verification_free(&verification);
    return status;
}

static int verify_reference(struct verify_arguments *a, struct progress_bar *bar) {
    mneme_equivalence equivalence;
    mneme_error error = {0};
    a->reference.progress = progress_bar_show;
    a->reference.user = bar;
    mneme_status done = mneme_reference_check(&a->reference, &equivalence, &error);
    progress_bar_close(bar);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    if (a->json) {
        reference_print_json(&equivalence);
    } else {
        reference_print_text(&equivalence);
    }
    int status = equivalence.equivalent ? 0 : MNEME_FAILED;
    mneme_equivalence_free(&equivalence);
    return status;
}

int command_verify(int argc, char **argv) {
    struct verify_arguments arguments = {0};
    struct progress_bar bar;
    int status;
    if (!parse(argc, argv, &arguments, &status)) return status;
    status = measuring_begin(&usage, &arguments.measuring);
    if (status != 0) return status;
    progress_bar_open(&bar);
    if (arguments.reference.directory != NULL) {
        status = verify_reference(&arguments, &bar);
    } else {
        arguments.verify.directory = argv[optind];
        arguments.verify.overrides = arguments.overrides.list;
        arguments.verify.n_overrides = arguments.overrides.n;
        status = verify_run(&arguments, &bar);
    }
    return status == MNEME_BAD_INPUT ? status : measuring_end(&usage, &arguments.measuring, status);
}
