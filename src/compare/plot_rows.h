#ifndef COMPARE_PLOT_ROWS_H
#define COMPARE_PLOT_ROWS_H

#include "compare/result.h"

/* What the plots have a curve for: the rows of the comparison. */
struct plot_rows {
    const struct result *result;
    struct row *rows; /* [n] */
    size_t n;
};

/* The first row of a method has the method's colour; the others share the rest of a palette. */
const char *plot_rows_colour(const struct plot_rows *rows, size_t row);

/* Adds the row's title in gnuplot's quotes, with ": LABEL" behind it unless that is NULL. */
void plot_rows_add_title(const struct plot_rows *rows, size_t row, const char *label,
                         struct text *script);

#endif
