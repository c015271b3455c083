#ifndef PROFILE_ROOFLINE_H
#define PROFILE_ROOFLINE_H

#include "profile/profile_report.h"

/* Draws each kernel's GFLOP/s over its flops per byte, below the machine's two roofs. For the file
 * DIR/NAME.json this is DIR/NAME.svg, from a script DIR/NAME.gnuplot that stays there. No picture,
 * and no error, when gnuplot is missing or fails. */
mneme_status roofline_plot(const struct profile_report *report, const char *json_path,
                           mneme_error *error);

#endif
