#include "compare/plot.h"

#include <stdio.h>
#include <stdlib.h>

#include "compare/plot_rows.h"
#include "compare/report.h"
#include "compare/stream_plot.h"
#include "report/gnuplot.h"

static int by_new_f1(const void *a, const void *b) {
    const struct point *x = a, *y = b;
    if (x->new_f1 != y->new_f1) return x->new_f1 < y->new_f1 ? -1 : 1;
    return x->known_f1 > y->known_f1 ? -1 : x->known_f1 < y->known_f1;
}

static void add_points(const struct point *points, size_t n, struct text *text) {
    for (size_t i = 0; i < n; i++) {
        if (points[i].absent) continue;
        text_add(text, "%.9g %.9g\n", points[i].new_f1, points[i].known_f1);
    }
}

/* The points on the front, from left to right. `front` has room for all. */
static size_t list_front(const struct result *result, size_t variant, size_t series,
                         struct point *front) {
    size_t n = 0;
    for (size_t c = 0; c < result->plan->series[series].n_cells; c++) {
        if (!result_on_front(result, variant, series, c)) continue;
        front[n++] = result->outcomes[variant][series].points[c];
    }
    qsort(front, n, sizeof *front, by_new_f1);
    return n;
}

/* Data blocks $cellsN and $frontN of a row; an empty line parts the variants. */
static void add_data(const struct result *result, const struct row *row, size_t number,
                     struct text *text) {
    size_t n = result->plan->series[row->series].n_cells;
    struct point *front = calloc(n + 1, sizeof *front);
    text->failed |= front == NULL;
    text_add(text, "$cells%zu << END\n", number);
    for (size_t i = 0; i < row->n_variants; i++) {
        add_points(result->outcomes[row->variants[i]][row->series].points, n, text);
    }
    text_add(text, "END\n$front%zu << END\n", number);
    for (size_t i = 0; front != NULL && i < row->n_variants; i++) {
        add_points(front, list_front(result, row->variants[i], row->series, front), text);
        text_add(text, "\n");
    }
    text_add(text, "END\n");
    free(front);
}

static void add_bases(const struct result *result, struct text *text) {
    text_add(text, "$base << END\n");
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        struct point base = result_base_point(result, v);
        add_points(&base, 1, text);
    }
    text_add(text, "END\n");
}

/* Right end of the x axis: a little beyond the best learner. */
static double x_end(const struct plot_rows *rows) {
    double best = 0.05;
    for (size_t i = 0; i < rows->n; i++) {
        double most = row_best_new(rows->result, &rows->rows[i]).most;
        if (most > best) best = most;
    }
    return best * 1.1 < 1.02 ? best * 1.1 : 1.02;
}

static void add_axes(const struct plot_rows *rows, struct text *text) {
    const struct result *result = rows->result;
    text_add(text,
             "set title 'Learning against forgetting: %s'\n"
             "set xlabel 'new %s, F1 (learning)'\nset ylabel 'known facts, F1 (kept)'\n"
             "set xrange [0:%.4g]\nset yrange [0:1.02]\nset grid lc rgb '#dddddd'\n"
             "set key tmargin center horizontal\n"
             "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead dt 2 lc rgb '#888888'\n"
             "set label 'compared here' at %.9g, graph 0.03 offset 0.5,0 tc rgb '#666666'\n",
             result->plan->name, result->unit, x_end(rows), result->level, result->level,
             result->level);
}

/* With how many of its cells have no point. */
static void add_title(const struct plot_rows *rows, size_t row, struct text *text) {
    const struct row *r = &rows->rows[row];
    size_t n = row_n_diverged(rows->result, r);
    size_t n_cells = rows->result->plan->series[r->series].n_cells * r->n_variants;
    char label[64];
    snprintf(label, sizeof label, "%zu of %zu diverged", n, n_cells);
    plot_rows_add_title(rows, row, n > 0 ? label : NULL, text);
}

static void add_curve(const struct plot_rows *rows, size_t row, struct text *text) {
    const char *colour = plot_rows_colour(rows, row);
    text_add(text,
             "    $cells%zu with points pt 6 ps 0.5 lc rgb '%s' notitle, \\\n"
             "    $front%zu with linespoints lw 2 pt 7 ps 0.8 lc rgb '%s' title ",
             row, colour, row, colour);
    add_title(rows, row, text);
    text_add(text, ", \\\n");
}

static mneme_status draw_tradeoff(const struct plot_rows *rows, const char *folder,
                                  mneme_error *error) {
    const char *picture = report_form(rows->result)->picture;
    struct text text = {0};
    char name[32];
    snprintf(name, sizeof name, "%s.gnuplot", picture);
    text_add(&text, "# gnuplot %s\n", name);
    add_axes(rows, &text);
    for (size_t i = 0; i < rows->n; i++) add_data(rows->result, &rows->rows[i], i, &text);
    add_bases(rows->result, &text);
    gnuplot_add_terminals(&text, picture, 760, 560 + 16 * (int)rows->n);
    text_add(&text, "  plot \\\n");
    for (size_t i = 0; i < rows->n; i++) add_curve(rows, i, &text);
    text_add(&text, "    $base with points pt 9 ps 2 lc rgb 'black' title 'base'\n}\n");
    return gnuplot_draw(folder, name, &text, error);
}

mneme_status plot_draw(const struct result *result, const char *folder, mneme_error *error) {
    struct plot_rows rows = {.result = result};
    rows.rows = result_rows(result, &rows.n);
    if (rows.rows == NULL) return error_set_memory(error, "the plot");
    mneme_status status = draw_tradeoff(&rows, folder, error);
    THEN(stream_plot_draw(&rows, folder, error));
    free(rows.rows);
    return status;
}
