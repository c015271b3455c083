#ifndef COMPARE_SWEEP_PLOT_H
#define COMPARE_SWEEP_PLOT_H

#include "compare/sweep_result.h"

/* Draws, where gnuplot is there, sweep.svg and .png: known F1 against new F1, a point per cell and
 * a line per series and variant through its front. When the cells have a stream.jsonl also
 * stream.svg and .png: F1 of what was taught so far, and of the known facts, along the stream, for
 * each series' cell that learned most. The .gnuplot files are left in any case. */
mneme_status sweep_plot_draw(const struct sweep_result *result, const char *directory,
                             mneme_error *error);

#endif
