#ifndef COMPARE_PLOT_H
#define COMPARE_PLOT_H

#include <stdbool.h>

#include "compare/report.h"

/* Draws new-fact F1 against known-fact F1, a curve per method, into tradeoff.svg and tradeoff.png
 * of the run folder, from tradeoff.csv and a script tradeoff.gnuplot that stay there. gnuplot runs
 * as a program; *drawn is false, and that is no error, when it is missing or fails. */
mneme_status plot_tradeoff(const struct report *report, const char *directory, bool *drawn,
                           mneme_error *error);

#endif
