#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mneme/eval.h>
#include <mneme/matmul.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/measuring.h"
#include "cli/print_plan.h"
#include "cli/progress.h"

static const char help[] =
    "mneme eval MODEL [--patch FILE] [--questions FILE]... [--text FILE]... [--choices FILE]...\n"
    "           [--shots N] [--shots-from FILE] [--prompt FORM | --chat] [--max-new-tokens N]\n"
    "           [--answers FILE] [--window N] [--stride N] [--limit N] [--special-tokens]\n"
    "           [--plan] [--json] [--matmul canonical|onednn] " MEASURING_USAGE
    "\n"
    "\n"
    "What the model in the folder MODEL knows (docs/evaluation.md has what each number is):\n"
    "\n"
    "  --patch FILE        with a patch on the model, which stays as it is (mneme patch)\n"
    "  --questions FILE    asks the questions of a file (docs/data.md): F1 and exact match of the\n"
    "                      greedy answers, and the NLL of the first right answer\n"
    "  --text FILE         reads a text, the texts of JSON records, or all of a folder: "
    "perplexity\n"
    "                      per token, word and byte, bits per byte\n"
    "  --choices FILE      multiple-choice questions, in the layouts of ARC and HellaSwag:\n"
    "                      how often the right ending is the likeliest, and per length\n"
    "  --limit N           of each file, the first N questions or documents\n"
    "\n"
    "  --prompt FORM       how a question is asked, up to its answer\n"
    "                      (default 'Question: {question}\\nAnswer:')\n"
    "  --chat              as a user's turn of a chat: '{user}{question}{assistant}'\n"
    "  --shots N           examples with their answers before each question, the first others of\n"
    "                      its file\n"
    "  --shots-from FILE   takes the examples from this file of questions\n"
    "  --max-new-tokens N  of an answer (default 32); it ends with its line, too\n"
    "  --answers FILE      a JSON line for each question: what was asked, said, and its scores\n"
    "\n"
    "  --window N          tokens of a text that are read at once (default: what the model takes,\n"
    "                      at most 2048)\n"
    "  --stride N          from one window to the next, less than a window for more context\n"
    "                      (default: windows one after the other)\n"
    "\n"
    "  --special-tokens    what looks like a special token in a file is that token, not text\n"
    PLAN_HELP("              ")
    "  --json              as JSON\n"
    "  --matmul onednn     computes dense products by oneDNN, for comparison: not "
    "canonical\n" MEASURING_HELP
    "\n"
    "Options of files can be repeated. Progress is shown on standard error: a bar on a terminal,\n"
    "elsewhere a line a minute, or every MNEME_PROGRESS seconds (0: none).\n";

static const struct usage usage = {"eval", help, 1};

#define CHAT_PROMPT "{user}{question}{assistant}"

struct eval_arguments {
    mneme_eval_options options;
    struct texts questions, texts, choices;
    struct measuring measuring;
    const char *matmul;
    bool chat, json, plan;
};

static bool parse(int argc, char **argv, struct eval_arguments *a, int *status) {
    mneme_eval_options *o = &a->options;
    const struct argument options[] = {{"patch", .text = &o->patch},
                                       {"questions", .texts = &a->questions},
                                       {"text", .texts = &a->texts},
                                       {"choices", .texts = &a->choices},
                                       {"limit", .count = &o->limit},
                                       {"prompt", .text = &o->prompt},
                                       {"chat", .flag = &a->chat},
                                       {"shots", .count = &o->shots},
                                       {"shots-from", .text = &o->shots_from},
                                       {"max-new-tokens", .count = &o->max_new_tokens},
                                       {"answers", .text = &o->answers},
                                       {"window", .count = &o->window},
                                       {"stride", .count = &o->stride},
                                       {"special-tokens", .flag = &o->special_tokens},
                                       {"json", .flag = &a->json},
                                       {"plan", .flag = &a->plan},
                                       {"matmul", .text = &a->matmul},
                                       MEASURING_OPTIONS(&a->measuring),
                                       {0}};
    if (!arguments_parse(&usage, options, argc, argv, status)) return false;
    if (a->chat && o->prompt != NULL) {
        *status = arguments_refuse(&usage, "--chat and --prompt are two ways to ask");
        return false;
    }
    if (a->chat) o->prompt = CHAT_PROMPT;
    o->model = argv[optind];
    o->questions = a->questions.list;
    o->n_questions = a->questions.n;
    o->texts = a->texts.list;
    o->n_texts = a->texts.n;
    o->choices = a->choices.list;
    o->n_choices = a->choices.n;
    return true;
}

static int print(const mneme_eval_results *results, bool json) {
    char *text = json ? mneme_eval_json(results) : mneme_eval_table(results);
    if (text == NULL) {
        fputs("mneme eval: not enough memory for the results\n", stderr);
        return MNEME_FAILED;
    }
    printf(json ? "%s\n" : "%s", text);
    free(text);
    return 0;
}

static int plan(const struct eval_arguments *a) {
    mneme_error error = {0};
    char *text = NULL;
    mneme_status done = mneme_matmul_choose(a->matmul, &error);
    if (done == MNEME_OK) done = mneme_eval_plan(&a->options, a->json, &text, &error);
    return print_plan(&usage, done, text, &error);
}

static int evaluate(const struct eval_arguments *a) {
    mneme_eval_results results = {0};
    mneme_error error = {0};
    struct progress_bar *bar = a->options.user;
    mneme_status done = mneme_matmul_choose(a->matmul, &error);
    progress_bar_open(bar);
    if (done == MNEME_OK) done = mneme_eval(&a->options, &results, &error);
    progress_bar_close(bar);
    int status = done == MNEME_OK ? print(&results, a->json) : arguments_report(&usage, &error);
    mneme_eval_results_free(&results);
    return status;
}

int command_eval(int argc, char **argv) {
    struct progress_bar bar;
    struct eval_arguments arguments = {.matmul = "canonical",
                                       .options = {.progress = progress_bar_show, .user = &bar}};
    int status;
    if (!parse(argc, argv, &arguments, &status)) return status;
    if (arguments.plan) return plan(&arguments);
    status = measuring_begin(&usage, &arguments.measuring);
    if (status == 0) status = evaluate(&arguments);
    return status == 0 ? measuring_end(&usage, &arguments.measuring, 0) : status;
}
