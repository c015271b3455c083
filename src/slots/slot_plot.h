#ifndef SLOTS_SLOT_PLOT_H
#define SLOTS_SLOT_PLOT_H

#include "slots/slot_report.h"

/* Draws, where gnuplot is there, from the files of slot_report_write: usage.svg (slots and reads by
 * how many batches read a slot), fact-SET-NUMBER.svg (IDF against the share of the wordings that
 * read a slot) and overlap.svg (slots that the trainable sets of two facts share), each as .png
 * too. The .gnuplot files are left in any case. */
mneme_status slot_plot_draw(const struct slot_report *report, const char *folder,
                            mneme_error *error);

#endif
