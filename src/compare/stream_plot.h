#ifndef COMPARE_STREAM_PLOT_H
#define COMPARE_STREAM_PLOT_H

#include "compare/plot_rows.h"

/* Draws stream.svg and .png (plot.h), when any of the cells that learned most has a stream.jsonl.
 */
mneme_status stream_plot_draw(const struct plot_rows *rows, const char *folder, mneme_error *error);

#endif
