#include <stdio.h>
#include <stdlib.h>

#include <mneme/slots.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/print_file.h"
#include "cli/progress.h"

static const char help[] =
    "mneme slots RUN [--fact N]... [--known N]... [--overlap N] [--top N] [--set KEY=VALUE]...\n"
    "            [--json]\n"
    "\n"
    "Shows where a run's facts are: how ordinary text uses the slots of the base model, which\n"
    "slots the wordings of a fact share, how specific these are and which tokens read them, and\n"
    "how much the trainable sets of new facts overlap. RUN is a run folder.\n"
    "\n"
    "  --fact N         shows new fact (or chunk of a document) N, from 0; 0 when none is given\n"
    "  --known N        shows known fact N\n"
    "  --overlap N      compares the first N new facts (default: 60; 0: none)\n"
    "  --top N          lists the N best slots of a fact (default: 20); slots.json has all\n"
    "  --set KEY=VALUE  replaces a recipe key, such as finetune.smf.t=30\n"
    "  --json           prints slots.json instead of the text\n"
    "\n"
    "RUN/slots/ gets slots.md, slots.json, the figures as .csv, and plots of them.\n";

enum {
    OPTION_FACT = 1,
    OPTION_KNOWN,
    OPTION_OVERLAP,
    OPTION_TOP,
    OPTION_SET,
    OPTION_JSON,
};

static const struct option options[] = {{"fact", required_argument, NULL, OPTION_FACT},
                                        {"known", required_argument, NULL, OPTION_KNOWN},
                                        {"overlap", required_argument, NULL, OPTION_OVERLAP},
                                        {"top", required_argument, NULL, OPTION_TOP},
                                        {"set", required_argument, NULL, OPTION_SET},
                                        {"json", no_argument, NULL, OPTION_JSON},
                                        {0}};

static const struct usage usage = {"slots", help, options, 1};

#define MAX_FACTS 64

struct slots_arguments {
    size_t new_facts[MAX_FACTS], known_facts[MAX_FACTS];
    mneme_slots_options slots;
    struct overrides overrides;
    bool json;
};

static bool add_fact(const char *option, size_t *facts, size_t *n) {
    if (*n == MAX_FACTS) {
        fprintf(stderr, "mneme slots: %s: more than %d facts\n", option, MAX_FACTS);
        return false;
    }
    if (!arguments_count(&usage, option, optarg, &facts[*n])) return false;
    ++*n;
    return true;
}

static bool take_option(int option, struct slots_arguments *a) {
    switch (option) {
        case OPTION_FACT:
            return add_fact("--fact", a->new_facts, &a->slots.n_new_facts);
        case OPTION_KNOWN:
            return add_fact("--known", a->known_facts, &a->slots.n_known_facts);
        case OPTION_OVERLAP:
            return arguments_count(&usage, "--overlap", optarg, &a->slots.overlap);
        case OPTION_TOP:
            return arguments_count(&usage, "--top", optarg, &a->slots.top);
        case OPTION_SET:
            return arguments_override(&usage, optarg, &a->overrides);
        default:
            a->json = true;
            return true;
    }
}

/* False when the command is to end with *status. */
static bool parse(int argc, char **argv, struct slots_arguments *arguments, int *status) {
    for (int option; (option = arguments_next(&usage, argc, argv, status)) != -1;) {
        if (option == -2) return false;
        if (take_option(option, arguments)) continue;
        *status = MNEME_BAD_INPUT;
        return false;
    }
    if (arguments->slots.n_new_facts + arguments->slots.n_known_facts == 0) {
        arguments->slots.n_new_facts = 1;
    }
    *status = MNEME_BAD_INPUT;
    return arguments_operands(&usage, argc, argv);
}

int command_slots(int argc, char **argv) {
    struct slots_arguments arguments = {.slots = {.overlap = 60, .top = 20}};
    int status;
    if (!parse(argc, argv, &arguments, &status)) return status;
    struct progress_bar bar;
    progress_bar_open(&bar);
    mneme_slots_options *slots = &arguments.slots;
    slots->directory = argv[optind];
    slots->new_facts = arguments.new_facts;
    slots->known_facts = arguments.known_facts;
    slots->overrides = arguments.overrides.list;
    slots->n_overrides = arguments.overrides.n;
    slots->progress = progress_bar_show;
    slots->user = &bar;
    mneme_error error = {0};
    char *report;
    mneme_status done = mneme_slots(slots, &report, &error);
    progress_bar_close(&bar);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    if (arguments.json) {
        status = print_file(&usage, slots->directory, "slots/slots.json");
    } else {
        printf("%s\nreport: %s/slots/slots.md  pictures: %s/slots/*.png\n", report,
               slots->directory, slots->directory);
        status = 0;
    }
    free(report);
    return status;
}
