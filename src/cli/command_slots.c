#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mneme/slots.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/measuring.h"
#include "cli/print_file.h"
#include "cli/progress.h"

static const char help[] =
    "mneme slots RUN [--fact N]... [--known N]... [--overlap N] [--top N] [--set KEY=VALUE]...\n"
    "            [--json] " MEASURING_USAGE
    "\n"
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
    "  --json           prints slots.json instead of the text\n" MEASURING_HELP
    "\n"
    "RUN/slots/ gets slots.md, slots.json, the figures as .csv, and plots of them.\n";

static const struct usage usage = {"slots", help, 1};

int command_slots(int argc, char **argv) {
    bool json = false;
    struct counts new_facts = {0}, known_facts = {0};
    struct texts overrides = {0};
    struct measuring measuring = {0};
    struct progress_bar bar;
    mneme_slots_options slots = {
        .overlap = 60, .top = 20, .progress = progress_bar_show, .user = &bar};
    int status;
    const struct argument options[] = {
        {"fact", .counts = &new_facts},       {"known", .counts = &known_facts},
        {"overlap", .count = &slots.overlap}, {"top", .count = &slots.top},
        {"set", .texts = &overrides},         {"json", .flag = &json},
        MEASURING_OPTIONS(&measuring),        {0}};
    if (!arguments_parse(&usage, options, argc, argv, &status)) return status;
    if (new_facts.n + known_facts.n == 0) new_facts.n = 1;
    slots.directory = argv[optind];
    slots.new_facts = new_facts.list;
    slots.n_new_facts = new_facts.n;
    slots.known_facts = known_facts.list;
    slots.n_known_facts = known_facts.n;
    slots.overrides = overrides.list;
    slots.n_overrides = overrides.n;
    status = measuring_begin(&usage, &measuring);
    if (status != 0) return status;
    progress_bar_open(&bar);
    mneme_error error = {0};
    char *report;
    mneme_status done = mneme_slots(&slots, &report, &error);
    progress_bar_close(&bar);
    if (done != MNEME_OK) return arguments_report(&usage, &error);
    if (json) {
        status = print_file(&usage, slots.directory, "slots/slots.json");
    } else {
        printf("%s\nreport: %s/slots/slots.md  pictures: %s/slots/*.png\n", report, slots.directory,
               slots.directory);
    }
    free(report);
    return measuring_end(&usage, &measuring, status);
}
