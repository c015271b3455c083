#include "compare/sweep_plot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/gnuplot.h"
#include "base/json_read.h"
#include "base/path.h"
#include "base/text.h"

#define MAX_STREAM_BYTES ((size_t)1 << 26)

/* A row's colour. */
static const char *colour(size_t row) {
    static const char *const colours[] = {"#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e",
                                          "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"};
    return colours[row % (sizeof colours / sizeof *colours)];
}

static int by_new_f1(const void *a, const void *b) {
    const struct sweep_point *x = a, *y = b;
    if (x->new_f1 != y->new_f1) return x->new_f1 < y->new_f1 ? -1 : 1;
    return x->known_f1 > y->known_f1 ? -1 : x->known_f1 < y->known_f1;
}

/* Data blocks $cellsN and $frontN of a row; an empty line parts the variants. */
static void add_data(const struct sweep_result *result, const struct sweep_row *row, size_t number,
                     struct text *text) {
    size_t n = result->plan->series[row->series].n_cells;
    struct sweep_point *front = calloc(n + 1, sizeof *front);
    text->failed |= front == NULL;
    text_add(text, "$cells%zu << END\n", number);
    for (size_t i = 0; i < row->n_variants; i++) {
        for (size_t c = 0; c < n; c++) {
            struct sweep_point p = sweep_cell_point(result, row->variants[i], row->series, c);
            text_add(text, "%.9g %.9g\n", p.new_f1, p.known_f1);
        }
    }
    text_add(text, "END\n$front%zu << END\n", number);
    for (size_t i = 0; front != NULL && i < row->n_variants; i++) {
        size_t v = row->variants[i], n_front = 0;
        for (size_t c = 0; c < n; c++) {
            if (!sweep_on_front(result, v, row->series, c)) continue;
            front[n_front++] = sweep_cell_point(result, v, row->series, c);
        }
        qsort(front, n_front, sizeof *front, by_new_f1);
        for (size_t c = 0; c < n_front; c++) {
            text_add(text, "%.9g %.9g\n", front[c].new_f1, front[c].known_f1);
        }
        text_add(text, "\n");
    }
    text_add(text, "END\n");
    free(front);
}

/* height of the SVG; the PNG is half as large again. */
static void add_terminals(struct text *text, const char *name, int height) {
    text_add(text,
             "do for [format in 'svg png'] {\n"
             "  if (format eq 'svg') { set terminal svg noenhanced size 760,%d font 'sans,13' }\n"
             "  if (format eq 'png') { set terminal pngcairo noenhanced size 1140,%d font "
             "'sans,14' }\n"
             "  set output '%s.'.format\n",
             height, height * 3 / 2, name);
}

/* A title in gnuplot's single quotes, within which a quote is doubled. */
static void add_title(struct text *text, const char *title) {
    for (; *title != '\0'; title++) text_add(text, *title == '\'' ? "''" : "%c", *title);
}

/* Lines of the plot command for one row. */
static void add_curve(const struct sweep_result *result, const struct sweep_row *row, size_t number,
                      struct text *text) {
    char name[128];
    sweep_row_name(result, row, name, sizeof name);
    text_add(text,
             "    $cells%zu with points pt 6 ps 0.5 lc rgb '%s' notitle, \\\n"
             "    $front%zu with linespoints lw 2 pt 7 ps 0.8 lc rgb '%s' title '",
             number, colour(number), number, colour(number));
    add_title(text, name);
    text_add(text, "', \\\n");
}

static char *tradeoff_script(const struct sweep_result *result) {
    struct text text = {0};
    size_t n;
    struct sweep_row *rows = sweep_rows(result, &n);
    if (rows == NULL) return NULL;
    text_add(&text,
             "# gnuplot sweep.gnuplot\nset title 'Learning against forgetting: %s'\n"
             "set xlabel 'new %s, F1 (learning)'\nset ylabel 'known facts, F1 (kept)'\n"
             "set xrange [0:1.02]\nset yrange [0:1.02]\nset grid lc rgb '#dddddd'\n"
             "set key tmargin center horizontal\n",
             result->plan->name, result->unit);
    for (size_t i = 0; i < n; i++) add_data(result, &rows[i], i, &text);
    text_add(&text, "$base << END\n");
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        struct sweep_point base = sweep_base_point(result, v);
        text_add(&text, "%.9g %.9g\n", base.new_f1, base.known_f1);
    }
    text_add(&text, "END\n");
    add_terminals(&text, "sweep", 560 + 16 * (int)n);
    text_add(&text, "  plot \\\n");
    for (size_t i = 0; i < n; i++) add_curve(result, &rows[i], i, &text);
    text_add(&text, "    $base with points pt 9 ps 2 lc rgb 'black' title 'base'\n}\n");
    free(rows);
    return text_take(&text);
}

static mneme_status draw(const char *directory, const char *name, char *script,
                         mneme_error *error) {
    char *path = path_join(directory, name);
    mneme_status status = path == NULL || script == NULL
                              ? error_set_memory(error, "the plot")
                              : file_write_atomic(path, script, strlen(script), error);
    if (status == MNEME_OK) gnuplot_run(directory, name);
    free(path);
    free(script);
    return status;
}

/* One line of a stream.jsonl as a line of numbers. */
static mneme_status add_evaluation(const char *line, const char *path, struct text *text,
                                   mneme_error *error) {
    json_error_t cause;
    json_t *o = json_parse(line, strlen(line), JSON_REJECT_DUPLICATES, &cause);
    if (o == NULL) return error_set(error, MNEME_BAD_INPUT, "%s: %s", path, cause.text);
    text_add(text, "%lld %.9g %.9g %.9g\n",
             (long long)json_integer_value(json_object_get(o, "lessons")),
             json_number_value(json_object_get(o, "new_f1")),
             json_number_value(json_object_get(o, "recent_f1")),
             json_number_value(json_object_get(o, "known_f1")));
    json_decref(o);
    return MNEME_OK;
}

/* Adds data block $streamN from the cell's stream.jsonl; *found says whether there is one. */
static mneme_status add_stream(const struct sweep_cell *cell, size_t number, bool *found,
                               struct text *text, mneme_error *error) {
    char *path = path_join(cell->folder, "stream.jsonl"), *bytes = NULL;
    size_t length;
    if (path == NULL) return error_set_memory(error, "a path");
    *found = file_exists(path);
    mneme_status status = MNEME_OK;
    if (*found) {
        text_add(text, "$stream%zu << END\n", number);
        status = file_read(path, MAX_STREAM_BYTES, &bytes, &length, error);
        char *rest = bytes;
        for (char *line; status == MNEME_OK && (line = strtok_r(rest, "\n", &rest)) != NULL;) {
            status = add_evaluation(line, path, text, error);
        }
        text_add(text, "END\n");
    }
    free(bytes);
    free(path);
    return status;
}

/* The curves of one panel: column 2 (new) or 4 (known) of every stream. */
static void add_panel(const struct sweep_result *result, const struct sweep_row *rows, size_t n,
                      const bool *found, const char *title, int column, struct text *text) {
    text_add(text, "  set title '%s'\n  plot \\\n", title);
    for (size_t i = 0; i < n; i++) {
        size_t v = rows[i].variants[0], cell = sweep_best_cell(result, v, rows[i].series);
        char name[128];
        if (!found[i]) continue;
        sweep_row_name(result, &rows[i], name, sizeof name);
        text_add(text, "    $stream%zu using 1:%d with lines lw 2 lc rgb '%s' title '", i, column,
                 colour(i));
        add_title(text, name);
        text_add(text, ": %s', \\\n", result->plan->series[rows[i].series].cells[cell].label);
        if (column == 2) {
            text_add(text,
                     "    $stream%zu using 1:3 with lines lw 1 dt 2 lc rgb '%s' notitle, \\\n", i,
                     colour(i));
        }
    }
    text_add(text, "    -1 notitle\n");
}

static mneme_status draw_stream(const struct sweep_result *result, const char *directory,
                                mneme_error *error) {
    struct text text = {0};
    size_t n;
    struct sweep_row *rows = sweep_rows(result, &n);
    bool *found = calloc(n + 1, sizeof *found), any = false;
    mneme_status status =
        rows == NULL || found == NULL ? error_set_memory(error, "the plot") : MNEME_OK;
    text_add(&text, "# gnuplot stream.gnuplot\n");
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        size_t v = rows[i].variants[0], cell = sweep_best_cell(result, v, rows[i].series);
        status = add_stream(&result->cells[v][rows[i].series][cell], i, &found[i], &text, error);
        any |= found[i];
    }
    text_add(&text,
             "set xlabel '%s taught'\nset ylabel 'F1'\nset xrange [0:%zu]\nset yrange [0:1.02]\n"
             "set grid lc rgb '#dddddd'\n",
             result->unit, result->n_lessons);
    add_terminals(&text, "stream", 760 + 16 * (int)n);
    text_add(&text, "  set multiplot layout 2,1\n  unset key\n");
    if (status == MNEME_OK) {
        char title[128];
        snprintf(title, sizeof title, "new %s: all taught so far; dashed: taught last",
                 result->unit);
        add_panel(result, rows, n, found, title, 2, &text);
        text_add(&text, "  set key below maxcols 1 Left reverse\n");
        add_panel(result, rows, n, found, "known facts", 4, &text);
    }
    text_add(&text, "  unset multiplot\n}\n");
    free(found);
    free(rows);
    char *script = text_take(&text);
    if (status == MNEME_OK && any) return draw(directory, "stream.gnuplot", script, error);
    free(script);
    return status;
}

mneme_status sweep_plot_draw(const struct sweep_result *result, const char *directory,
                             mneme_error *error) {
    mneme_status status = draw(directory, "sweep.gnuplot", tradeoff_script(result), error);
    return status == MNEME_OK ? draw_stream(result, directory, error) : status;
}
