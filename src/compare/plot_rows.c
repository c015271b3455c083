#include "compare/plot_rows.h"

#include <stdlib.h>

#include "report/gnuplot.h"

const char *plot_rows_colour(const struct plot_rows *rows, size_t row) {
    static const char *const others[] = {"#9467bd", "#ff7f0e", "#17becf", "#8c564b",
                                         "#e377c2", "#7f7f7f", "#bcbd22"};
    const struct plan *plan = rows->result->plan;
    size_t n_others = 0;
    for (size_t i = 0; i <= row; i++) {
        const struct method *method = plan->series[rows->rows[i].series].method;
        bool first = true;
        for (size_t j = 0; j < i; j++) {
            first &= plan->series[rows->rows[j].series].method != method;
        }
        if (first && i == row) return method->colour;
        n_others += !first;
    }
    return others[(n_others - 1) % (sizeof others / sizeof *others)];
}

void plot_rows_add_title(const struct plot_rows *rows, size_t row, const char *label,
                         struct text *script) {
    struct text title = {0};
    row_add_name(&title, &rows->rows[row],
                 rows->result->plan->series[rows->rows[row].series].title);
    if (label != NULL) text_add(&title, ": %s", label);
    char *bytes = text_take(&title);
    script->failed |= bytes == NULL;
    gnuplot_add_quoted(script, bytes == NULL ? "" : bytes);
    free(bytes);
}
