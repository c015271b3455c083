#ifndef COMPARE_SWEEP_REPORT_H
#define COMPARE_SWEEP_REPORT_H

#include "compare/sweep_result.h"

/* The comparison as lines of text; malloc'ed, NULL when out of memory. */
char *sweep_report_text(const struct sweep_result *result);

/* Writes sweep.md, sweep.json and sweep.csv into the folder. */
mneme_status sweep_report_write(const struct sweep_result *result, const char *directory,
                                mneme_error *error);

#endif
