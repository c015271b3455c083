#include "slots/slot_plot.h"

#include <stdio.h>

#include "base/path.h"
#include "report/gnuplot.h"

static void begin(struct text *text, const char *name) {
    text_add(text, "# gnuplot %s.gnuplot\nset datafile separator ','\nset grid lc rgb '#dddddd'\n",
             name);
    gnuplot_add_terminals(text, name, 720, 520);
}

static mneme_status draw(const char *folder, const char *name, struct text *text,
                         mneme_error *error) {
    text_add(text, "}\n");
    return gnuplot_draw(folder, path_in("", "%s.gnuplot", name).text, text, error);
}

static mneme_status draw_usage(const struct slot_report *report, const char *folder,
                               mneme_error *error) {
    struct text text = {0};
    begin(&text, "usage");
    text_add(&text,
             "  set title '%s: use of %zu slots by %zu batches of ordinary text'\n"
             "  set xlabel 'batches that read a slot'\n  set ylabel 'share, %%'\n"
             "  set style data histograms\n  set style fill solid 0.8\n  set yrange [0:*]\n"
             "  set xtics rotate by -45\n  set key top left\n"
             "  stats 'usage.csv' using 3 every ::1 nooutput\n"
             "  plot 'usage.csv' using (100*$2/%zu):xtic(1) every ::1 title 'of all slots' "
             "lc rgb '#1f77b4', '' using (100*$3/STATS_sum) every ::1 title 'of all reads' "
             "lc rgb '#ff7f0e'\n",
             report->recipe, report->usage.n_slots, report->usage.n_batches, report->usage.n_slots);
    return draw(folder, "usage", &text, error);
}

static mneme_status draw_fact(const struct slot_report *report, const struct slot_fact *fact,
                              const char *folder, mneme_error *error) {
    struct text text = {0};
    char name[64];
    snprintf(name, sizeof name, "fact-%s-%zu", fact->set, fact->number);
    begin(&text, name);
    text_add(&text, "  set title '%s: slots read by %s fact %zu, %zu wordings'\n", report->recipe,
             fact->set, fact->number, fact->n_texts);
    text_add(&text,
             "  set xlabel 'share of the wordings that read the slot, %%'\n"
             "  set ylabel 'IDF: how specific the slot is'\n  set xrange [0:102]\n"
             "  set key below\n"
             "  plot '%s.csv' using ($6 == 0 ? 100.0*$2/%zu : 1/0):4 every ::1 with points pt 6 "
             "ps 0.5 lc rgb '#999999' title 'frozen', '' using ($6 == 1 ? 100.0*$2/%zu : 1/0):4 "
             "every ::1 with points pt 7 ps 0.9 lc rgb '#2ca02c' title 'trainable, t = %zu'\n",
             name, fact->n_texts, fact->n_texts, report->t);
    return draw(folder, name, &text, error);
}

static mneme_status draw_overlap(const struct slot_report *report, const char *folder,
                                 mneme_error *error) {
    struct text text = {0};
    begin(&text, "overlap");
    text_add(&text,
             "  set title '%s: slots that the trainable sets of two new facts share, of %zu'\n"
             "  set xlabel 'fact'\n  set ylabel 'fact'\n  set xrange [-0.5:%zu.5]\n"
             "  set yrange [%zu.5:-0.5]\n  set size square\n  set palette defined (0 'white', 0.2 "
             "'#9ecae1', 1 '#08306b')\n  set cbrange [0:%zu]\n"
             "  plot 'overlap.csv' matrix with image notitle\n",
             report->recipe, report->overlap.t, report->overlap.n - 1, report->overlap.n - 1,
             report->overlap.t);
    return draw(folder, "overlap", &text, error);
}

mneme_status slot_plot_draw(const struct slot_report *report, const char *folder,
                            mneme_error *error) {
    TRY(draw_usage(report, folder, error));
    for (size_t f = 0; f < report->n_facts; f++) {
        TRY(draw_fact(report, &report->facts[f], folder, error));
    }
    return report->overlap.n > 1 ? draw_overlap(report, folder, error) : MNEME_OK;
}
