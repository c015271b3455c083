#include "profile/roofline.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "report/gnuplot.h"

/* A numbered kernel per line: flops per byte, GFLOP/s, share of the kernels' time, number; and the
 * list of the numbers' names at the picture's side. A kernel without arithmetic has no place. */
static void add_kernels(const struct profile_report *report, struct text *text) {
    struct text names = {0};
    int number = 0;
    text_add(text, "$kernels << END\n");
    for (size_t i = 0; i < report->n_kernels; i++) {
        const struct profile_row *row = &report->kernels[i];
        if (row->counts.flops == 0 || row->counts.bytes == 0) continue;
        double share = profile_seconds(&row->counts) / report->kernel_seconds;
        number++;
        text_add(text, "%.6g %.6g %.4f %d\n", (double)row->counts.flops / (double)row->counts.bytes,
                 profile_gflops(&row->counts), share, number);
        text_add(&names, "set label '%d' at graph 1.045, %.3f right font ',10'\n", number,
                 1.03 - 0.034 * number);
        text_add(&names, "set label '%s  %.1f %%' at graph 1.06, %.3f font ',10'\n", row->kernel,
                 100.0 * share, 1.03 - 0.034 * number);
    }
    char *list = text_take(&names);
    text_add(text, "END\n%s", list == NULL ? "" : list);
    free(list);
}

/* The picture is NAME.svg. */
static void add_script(const struct profile_report *report, const char *name, struct text *text) {
    const struct machine_roof *roof = &report->roof;
    text_add(text, "set terminal svg size 900,620 font 'sans,12' noenhanced\nset output ");
    gnuplot_add_quoted(text, path_in("", "%s.svg", name).text);
    text_add(text,
             "\npeak = %.6g\nmemory = %.6g\n"
             "set title sprintf('%zu threads: %%.0f GFLOP/s, %%.1f GB/s measured', peak, memory)\n"
             "set xlabel 'flops per byte'\nset ylabel 'GFLOP/s'\n"
             "set logscale xy\nset samples 1000\nset grid lc rgb '#dddddd'\n"
             "set xrange [0.04:500]\nset yrange [*:2*peak]\nset key right bottom\n"
             "set rmargin 30\n"
             "roof(x) = memory * x < peak ? memory * x : peak\n"
             "size(share) = 0.4 + 3 * sqrt(share)\n",
             roof->gflops, profile_memory_roof(roof), roof->threads);
    add_kernels(report, text);
    text_add(text,
             "plot roof(x) lw 2 lc rgb 'black' title 'roof', \\\n"
             "  $kernels using 1:2:(size($3)) with points pt 7 ps variable lc rgb '#901f77b4' "
             "title 'kernel, sized by its share of the kernels'' time', \\\n"
             "  '' using 1:2:4 with labels offset 0.9,0.5 font ',9' notitle\n");
}

mneme_status roofline_plot(const struct profile_report *report, const char *json_path,
                           mneme_error *error) {
    const char *slash = strrchr(json_path, '/');
    struct path name = path_in("", "%s", slash == NULL ? json_path : slash + 1);
    size_t length = strlen(name.text);
    struct text text = {0};
    if (length > 5 && strcmp(name.text + length - 5, ".json") == 0) name.text[length - 5] = '\0';
    add_script(report, name.text, &text);
    return gnuplot_draw(path_parent(json_path).text, path_in("", "%s.gnuplot", name.text).text,
                        &text, error);
}
