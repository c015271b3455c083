#include "compare/stream_plot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "folder/folder.h"
#include "report/gnuplot.h"

#define MAX_STREAM_BYTES ((size_t)1 << 26)

/* The streams that there are. */
struct streams {
    const struct plot_rows *rows;
    bool *found; /* [n] of the rows */
    bool any;
};

/* The series' cell that learned most, in the row's first variant. */
static size_t best_cell(const struct streams *streams, size_t row) {
    const struct row *r = &streams->rows->rows[row];
    return streams->rows->result->outcomes[r->variants[0]][r->series].best;
}

/* One line of a stream.jsonl as a line of numbers. */
static mneme_status add_evaluation(const char *line, const char *path, struct text *text,
                                   mneme_error *error) {
    json_error_t cause;
    json_t *o = json_parse(line, strlen(line), JSON_REJECT_DUPLICATES, &cause);
    if (o == NULL) return error_set(error, MNEME_BAD_INPUT, "%s: %s", path, cause.text);
    if (json_is_null(json_object_get(o, "new_f1"))) { /* the model was not finite: a gap */
        json_decref(o);
        text_add(text, "\n");
        return MNEME_OK;
    }
    text_add(text, "%lld %.9g %.9g ", (long long)json_integer_value(json_object_get(o, "lessons")),
             json_number_value(json_object_get(o, "new_f1")),
             json_number_value(json_object_get(o, "recent_f1")));
    const json_t *known = json_object_get(o, "known_f1"); /* null: nothing was asked */
    if (json_is_null(known)) {
        text_add(text, "NaN\n");
    } else {
        text_add(text, "%.9g\n", json_number_value(known));
    }
    json_decref(o);
    return MNEME_OK;
}

/* Adds data block $streamN from the best cell's stream.jsonl, if there is one. */
static mneme_status add_stream(struct streams *streams, size_t row, struct text *text,
                               mneme_error *error) {
    const struct row *r = &streams->rows->rows[row];
    const struct result *result = streams->rows->result;
    const struct cell *cells = result->outcomes[r->variants[0]][r->series].cells;
    if (!result_has_points(result, r->variants[0], r->series)) return MNEME_OK;
    struct path path = path_in(cells[best_cell(streams, row)].folder.text, FOLDER_STREAM);
    char *bytes;
    size_t length;
    if (!file_exists(path.text)) return MNEME_OK;
    streams->found[row] = streams->any = true;
    text_add(text, "$stream%zu << END\n", row);
    TRY(file_read(path.text, MAX_STREAM_BYTES, &bytes, &length, error));
    mneme_status status = MNEME_OK;
    char *rest = bytes;
    for (char *line; status == MNEME_OK && (line = strtok_r(rest, "\n", &rest)) != NULL;) {
        status = add_evaluation(line, path.text, text, error);
    }
    text_add(text, "END\n");
    free(bytes);
    return status;
}

/* The curves of one panel: column 2 (new) or 4 (known) of every stream. */
static void add_panel(const struct streams *streams, const char *title, int column,
                      struct text *text) {
    const struct plot_rows *rows = streams->rows;
    text_add(text, "  set title '%s'\n  plot \\\n", title);
    for (size_t i = 0; i < rows->n; i++) {
        const struct plan_series *series = &rows->result->plan->series[rows->rows[i].series];
        const char *colour = plot_rows_colour(rows, i);
        if (!streams->found[i]) continue;
        text_add(text, "    $stream%zu using 1:%d with lines lw 2 lc rgb '%s' title ", i, column,
                 colour);
        plot_rows_add_title(rows, i, series->cells[best_cell(streams, i)].label, text);
        text_add(text, ", \\\n");
        if (column != 2) continue;
        text_add(text, "    $stream%zu using 1:3 with lines lw 1 dt 2 lc rgb '%s' notitle, \\\n", i,
                 colour);
    }
    text_add(text, "    -1 notitle\n");
}

static void add_panels(const struct streams *streams, struct text *text) {
    const struct result *result = streams->rows->result;
    char title[128];
    text_add(text,
             "set xlabel '%s taught'\nset ylabel 'F1'\nset xrange [0:%zu]\nset yrange [0:1.02]\n"
             "set grid lc rgb '#dddddd'\n",
             result->unit, result->n_lessons);
    gnuplot_add_terminals(text, "stream", 760, 760 + 16 * (int)streams->rows->n);
    text_add(text, "  set multiplot layout 2,1\n  unset key\n");
    snprintf(title, sizeof title, "new %s: all taught so far; dashed: taught last", result->unit);
    add_panel(streams, title, 2, text);
    text_add(text, "  set key below maxcols 1 Left reverse\n");
    add_panel(streams, "known facts", 4, text);
    text_add(text, "  unset multiplot\n}\n");
}

mneme_status stream_plot_draw(const struct plot_rows *rows, const char *folder,
                              mneme_error *error) {
    struct streams streams = {.rows = rows, .found = calloc(rows->n + 1, sizeof(bool))};
    struct text text = {0};
    mneme_status status = streams.found == NULL ? error_set_memory(error, "the plot") : MNEME_OK;
    text_add(&text, "# gnuplot stream.gnuplot\n");
    for (size_t i = 0; i < rows->n; i++) THEN(add_stream(&streams, i, &text, error));
    if (status == MNEME_OK && streams.any) {
        add_panels(&streams, &text);
        status = gnuplot_draw(folder, "stream.gnuplot", &text, error);
    }
    free(streams.found);
    free(text_take(&text));
    return status;
}
