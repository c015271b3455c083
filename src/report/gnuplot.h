#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H

#include "base/error.h"
#include "base/text.h"

/* Plots by gnuplot, run as a program. If it is missing or fails, the script is there but no
 * picture; that is not an error. */

/* Writes the script into FOLDER/NAME and runs it there, silently. Takes the text, which becomes
 * empty. */
mneme_status gnuplot_draw(const char *folder, const char *name, struct text *script,
                          mneme_error *error);

/* Adds the bytes within gnuplot's single quotes, where a quote is doubled. */
void gnuplot_add_quoted(struct text *script, const char *bytes);

/* Begins a loop over NAME.svg and NAME.png, which the caller ends by "}\n". The SVG has this size;
 * the PNG is half as large again. */
void gnuplot_add_terminals(struct text *script, const char *name, int width, int height);

#endif
