#ifndef COMPARE_REPORT_H
#define COMPARE_REPORT_H

#include <stddef.h>

#include "base/error.h"
#include "compare/selection.h"
#include "run/scored_run.h"

#define REPORT_MAX_METHODS 3
#define REPORT_MAX_RUNS 16

struct report_method {
    const char *name;
    size_t n_runs;
    struct scored_run runs[REPORT_MAX_RUNS];
    size_t chosen;         /* filled by report_select */
    double known_at_level; /* filled by report_select */
};

/* What a run found. Times and machine are the only parts that may differ between two runs of a
 * recipe. */
struct report {
    const char *recipe;
    struct scores base;
    struct digest base_digest;
    size_t n_methods;
    struct report_method methods[REPORT_MAX_METHODS];
    double level;   /* the new-fact F1 at which methods are compared; filled by report_select */
    double seconds; /* of this call */
    struct digest result; /* of everything that was found (result_digest.h) */
};

/* Chooses a run per method by the rule in selection.h. */
void report_select(struct report *report);

/* The comparison as lines of text; malloc'ed, NULL when out of memory. */
char *report_table(const struct report *report);

/* Writes report.json, report.md and tradeoff.csv into the run folder. */
mneme_status report_write(const struct report *report, const char *directory, mneme_error *error);

#endif
