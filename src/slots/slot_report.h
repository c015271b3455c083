#ifndef SLOTS_SLOT_REPORT_H
#define SLOTS_SLOT_REPORT_H

#include "slots/slot_view.h"
#include "tokenizer/tokenizer.h"

/* All that `mneme slots` found. */
struct slot_report {
    const char *recipe;
    const struct tokenizer *tokenizer;
    size_t t;   /* finetune.smf.t */
    size_t top; /* slots listed per fact */
    struct slot_usage usage;
    struct slot_fact *facts; /* [n_facts] */
    size_t n_facts;
    struct slot_overlap overlap;
};

/* For a terminal; malloc'ed, NULL when out of memory. */
char *slot_report_text(const struct slot_report *report);

/* Writes slots.md, slots.json, usage.csv, fact-SET-NUMBER.csv and overlap.csv into the folder. */
mneme_status slot_report_write(const struct slot_report *report, const char *folder,
                               mneme_error *error);

#endif
