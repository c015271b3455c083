#ifndef CLI_DIFF_PRINT_H
#define CLI_DIFF_PRINT_H

#include <stdbool.h>

#include <mneme/diff.h>

#include "cli/diff_replay.h"

/* The findings of mneme diff, for people and as JSON. A NULL part was not looked for. */
struct diff_findings {
    const mneme_trail_difference *trails;
    const struct diff_replay *replay;
    const mneme_tensors_difference *tensors;
};

/* Without `all`, at most the first 20 of the tensors that differ. */
void diff_print_text(const struct diff_findings *findings, bool all);
void diff_print_json(const struct diff_findings *findings);

#endif
