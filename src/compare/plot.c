#include "compare/plot.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/gnuplot.h"
#include "base/path.h"
#include "base/text.h"

static void add_curves(const struct report *report, struct text *text) {
    static const char *const colours[REPORT_MAX_METHODS] = {"#d62728", "#1f77b4", "#2ca02c"};
    static const char *const titles[][2] = {
        {"full", "full finetuning"}, {"lora", "LoRA"}, {"smf", "sparse memory finetuning"}};
    text_add(text, "plot \\\n");
    for (size_t m = 0; m < report->n_methods; m++) {
        const char *name = report->methods[m].name, *title = name;
        for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
            if (strcmp(titles[i][0], name) == 0) title = titles[i][1];
        }
        text_add(text,
                 "  '< grep ^%s, tradeoff.csv' using 3:4 with linespoints lw 2 pt 7 ps 1.1 "
                 "lc rgb '%s' title '%s', \\\n",
                 name, colours[m], title);
    }
    text_add(text,
             "  '< grep ^base, tradeoff.csv' using 3:4 with points pt 9 ps 2 lc rgb 'black' title "
             "'base'\n");
}

/* Right end of the x axis: a little beyond the best learner. */
static double x_end(const struct report *report) {
    double best = 0.05;
    for (size_t m = 0; m < report->n_methods; m++) {
        const struct report_method *method = &report->methods[m];
        for (size_t i = 0; i < method->n_runs; i++) {
            if (method->runs[i].scores.new_f1 > best) best = method->runs[i].scores.new_f1;
        }
    }
    return best * 1.1 < 1.0 ? best * 1.1 : 1.0;
}

static char *make_script(const struct report *report) {
    struct text text = {0};
    text_add(&text,
             "# gnuplot tradeoff.gnuplot\n"
             "set datafile separator ','\n"
             "set title 'Learning against forgetting: %s'\n"
             "set xlabel 'new facts, F1 (learning)'\n"
             "set ylabel 'known facts, F1 (kept)'\n"
             "set xrange [0:%.4g]\nset yrange [0:1.02]\nset grid lc rgb '#dddddd'\n"
             "set key below\n"
             "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead dt 2 lc rgb '#888888'\n"
             "set label 'compared here' at %.9g, graph 0.97 offset 0.5,0 tc rgb '#666666'\n"
             "do for [format in 'svg png'] {\n"
             "  if (format eq 'svg') { set terminal svg size 720,520 font 'sans,13' }\n"
             "  if (format eq 'png') { set terminal pngcairo size 1080,780 font 'sans,14' }\n"
             "  set output 'tradeoff.'.format\n  ",
             report->recipe, x_end(report), report->level, report->level, report->level);
    add_curves(report, &text);
    text_add(&text, "}\n");
    return text_take(&text);
}

mneme_status plot_tradeoff(const struct report *report, const char *directory, bool *drawn,
                           mneme_error *error) {
    char *path = path_join(directory, "tradeoff.gnuplot"), *script = make_script(report);
    mneme_status status = path == NULL || script == NULL
                              ? error_set_memory(error, "the plot")
                              : file_write_atomic(path, script, strlen(script), error);
    *drawn = status == MNEME_OK && gnuplot_run(directory, "tradeoff.gnuplot");
    free(path);
    free(script);
    return status;
}
