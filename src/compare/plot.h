#ifndef COMPARE_PLOT_H
#define COMPARE_PLOT_H

#include "compare/result.h"

/* Draws, where gnuplot is there, tradeoff.svg and .png of a run, sweep.svg and .png of a sweep:
 * known F1 against new F1, a point per cell and a line per series and variant through its front,
 * with the level at which they are compared. When the cells have a stream.jsonl also stream.svg and
 * .png: F1 of what was taught so far, and of the known facts, along the stream, for each series'
 * cell that learned most. The .gnuplot files are left in any case. */
mneme_status plot_draw(const struct result *result, const char *folder, mneme_error *error);

#endif
