#ifndef BASE_GNUPLOT_H
#define BASE_GNUPLOT_H

#include <stdbool.h>

/* Runs `gnuplot SCRIPT` in the folder, silently. False when gnuplot is missing or fails. */
bool gnuplot_run(const char *directory, const char *script);

#endif
