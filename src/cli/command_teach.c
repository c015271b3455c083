#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mneme/teach.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/print_plan.h"
#include "cli/progress.h"

static const char help[] =
    "mneme teach MODEL FACTS --patch PATCH [--keep QUESTIONS] [--text PATH]... [--limit N]\n"
    "            [--max-loss PERCENT] [--prompt FORM] [--wordings FILE] [--plan] [--json]\n"
    "            [SETTING]...\n"
    "\n"
    "Teaches the model in the folder MODEL the facts of a file, questions with answers "
    "(docs/data.md\n"
    "has the layouts), by sparse memory finetuning, and writes what it changed as a patch: mneme\n"
    "generate and eval take it, mneme patch shows, merges and takes it back. A model without a "
    "memory\n"
    "gets an empty one, which the patch carries. A patch that is there goes on: facts that it has "
    "are\n"
    "passed over, so that a call that was interrupted goes on when it is repeated.\n"
    "\n"
    "  --patch PATCH      the patch, written every few seconds, whole each time\n"
    "  --from PATCH       goes on from this patch instead of --patch's own\n"
    "  --keep QUESTIONS   a file of questions that should not be forgotten; they are asked now and "
    "then\n"
    "  --keep-shots N     examples before each of them, the first others of the file (default 5)\n"
    "  --max-loss PERCENT of their F1, at which teaching stops, or of the NLL of held-out text, "
    "of\n"
    "                     which you are told (default 3)\n"
    "  --text PATH        a file or folder of ordinary text, for the memory's keys and background "
    "and\n"
    "                     to hold some out; can be repeated (default: a text that comes with "
    "mneme)\n"
    "  --limit N          the first N facts of the file\n"
    "  --prompt FORM      how facts are asked, as for mneme eval\n"
    "  --wordings FILE    other ways to put question and answer (docs/data.md)\n"
    PLAN_HELP("             ")
    "  --json             what came of it as JSON, with a line for each fact\n"
    "\n"
    "Settings, of which each has a default that works:\n"
    "  --t N              slots that a step may change (default: a tenth of those that its batch "
    "reads)\n"
    "  --idf-power N      slots rank by their share of reads, times their IDF so often: the "
    "higher,\n"
    "                     the less is changed of what other questions read (default 5)\n"
    "  --lr SHARE         of Polyak's step (default 0.5)\n"
    "  --steps N          of a fact at most (default 20)\n"
    "  --batch N          wordings of a step (default 8)\n"
    "  --enough LOSS      of each of the answer's tokens at which a fact is learned (default 0.2)\n"
    "  --layer N          of the new memory, from 1 (default: two thirds up)\n"
    "  --background N     batches of text and common questions that tell what others\n"
    "                     read (default 131, which have all the questions)\n"
    "  --n-keys N, --knn N   of it (default 512, 16)\n";

#define DEFAULT_KEEP_SHOTS 5

static const struct usage usage = {"teach", help, 2};

struct teach_arguments {
    mneme_teach_options options;
    struct texts texts;
    bool plan;
    const char *max_loss, *lr, *t_share, *enough;
};

/* A positive decimal. */
static bool read_number(const char *option, const char *text, double *value, int *status) {
    char *end;
    if (text == NULL) return true;
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && *value > 0.0 && *value < 1e30) return true;
    *status = arguments_refuse(&usage, "--%s must be a number above 0, not '%s'", option, text);
    return false;
}

static bool read_numbers(struct teach_arguments *a, int *status) {
    double max_loss = 0.0, lr = 0.0, t_share = 0.0, enough = 0.0;
    if (!read_number("max-loss", a->max_loss, &max_loss, status) ||
        !read_number("lr", a->lr, &lr, status) ||
        !read_number("t-share", a->t_share, &t_share, status) ||
        !read_number("enough", a->enough, &enough, status)) {
        return false;
    }
    a->options.max_loss = max_loss / 100.0;
    a->options.lr = (float)lr;
    a->options.t_share = (float)t_share;
    a->options.enough = (float)enough;
    return true;
}

static bool parse(int argc, char **argv, struct teach_arguments *a, int *status) {
    mneme_teach_options *o = &a->options;
    const struct argument options[] = {{"patch", .text = &o->patch, .needed = true},
                                       {"from", .text = &o->from},
                                       {"keep", .text = &o->keep},
                                       {"keep-shots", .count = &o->keep_shots},
                                       {"max-loss", .text = &a->max_loss},
                                       {"text", .texts = &a->texts},
                                       {"limit", .count = &o->limit},
                                       {"prompt", .text = &o->prompt},
                                       {"wordings", .text = &o->wordings},
                                       {"t", .count = &o->t},
                                       {"t-share", .text = &a->t_share},
                                       {"idf-power", .count = &o->idf_power},
                                       {"lr", .text = &a->lr},
                                       {"steps", .count = &o->steps},
                                       {"batch", .count = &o->batch},
                                       {"enough", .text = &a->enough},
                                       {"background", .count = &o->background},
                                       {"layer", .count = &o->layer},
                                       {"n-keys", .count = &o->n_keys},
                                       {"knn", .count = &o->knn},
                                       {"json", .flag = &o->json},
                                       {"plan", .flag = &a->plan},
                                       {0}};
    if (!arguments_parse(&usage, options, argc, argv, status)) return false;
    o->model = argv[optind];
    o->facts = argv[optind + 1];
    o->texts = a->texts.list;
    o->n_texts = a->texts.n;
    return read_numbers(a, status);
}

int command_teach(int argc, char **argv) {
    struct progress_bar bar;
    struct teach_arguments arguments = {
        .options = {.keep_shots = DEFAULT_KEEP_SHOTS, .progress = progress_bar_show, .user = &bar}};
    mneme_error error = {0};
    char *report = NULL;
    int status;
    if (!parse(argc, argv, &arguments, &status)) return status;
    if (arguments.plan) {
        mneme_status found =
            mneme_teach_plan(&arguments.options, arguments.options.json, &report, &error);
        return print_plan(&usage, found, report, &error);
    }
    progress_bar_open(&bar);
    mneme_status done = mneme_teach(&arguments.options, &report, &error);
    progress_bar_close(&bar);
    if (report != NULL) fputs(report, stdout);
    free(report);
    return done == MNEME_OK ? 0 : arguments_report(&usage, &error);
}
