#include "compare/sweep_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/version.h>

#include "base/report_file.h"
#include "base/table.h"
#include "base/text.h"
#include "compare/sweep_json.h"

#define NAME_SIZE 128

/* "0.213", with the range behind it when there are several seeds; "-" without any. */
static void add_range(struct table *table, const struct sweep_row *row,
                      const struct seed_range *range, int digits, const char *unit) {
    if (range->n == 0) {
        table_add(table, "-");
    } else if (row->n_variants == 1) {
        table_add(table, "%.*f%s", digits, range->mean, unit);
    } else {
        table_add(table, "%.*f%s [%.*f, %.*f]%s", digits, range->mean, unit, digits, range->least,
                  digits, range->most, range->n < row->n_variants ? " *" : "");
    }
}

static void add_head(const struct sweep_result *result, double level, struct table *table) {
    table->n_columns = 6 + result->plan->n_levels;
    table_add(table, "series");
    table_add(table, "best new F1");
    table_add(table, "lost there");
    for (size_t i = 0; i < result->plan->n_levels; i++) {
        table_add(table, "lost at %.3g", result->plan->levels[i]);
    }
    table_add(table, "lost at %.3f (all)", level);
    table_add(table, "skill NLL");
    table_add(table, "ms a %.*s", (int)strlen(result->unit) - 1, result->unit);
}

/* Skill NLL of the cells that learned most. */
static struct seed_range nll_at_best(const struct sweep_result *result,
                                     const struct sweep_row *row) {
    struct seed_range range = {0};
    for (size_t i = 0; i < row->n_variants; i++) {
        size_t v = row->variants[i], cell = sweep_best_cell(result, v, row->series);
        seed_range_add(&range, result->cells[v][row->series][cell].run.scores.skill_nll);
    }
    return range;
}

static void add_row(const struct sweep_result *result, const struct sweep_row *row, double level,
                    struct table *table) {
    char name[NAME_SIZE];
    sweep_row_name(result, row, name, sizeof name);
    table_add(table, "%s", name);
    struct seed_range best = sweep_best_new(result, row);
    struct seed_range there = sweep_lost_at_best(result, row);
    add_range(table, row, &best, 3, "");
    add_range(table, row, &there, 1, " %");
    for (size_t i = 0; i < result->plan->n_levels; i++) {
        struct seed_range at = sweep_lost_at(result, row, result->plan->levels[i]);
        add_range(table, row, &at, 1, " %");
    }
    struct seed_range common = sweep_lost_at(result, row, level);
    struct seed_range nll = nll_at_best(result, row), seconds = sweep_seconds(result, row);
    add_range(table, row, &common, 1, " %");
    add_range(table, row, &nll, 3, "");
    table_add(table, "%.1f", 1000.0 * seconds.mean);
}

static void make_table(const struct sweep_result *result, struct table *table) {
    size_t n;
    struct sweep_row *rows = sweep_rows(result, &n);
    double level = sweep_common_level(result);
    add_head(result, level, table);
    if (rows == NULL) {
        table->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) add_row(result, &rows[i], level, table);
    free(rows);
}

static struct seed_range base_range(const struct sweep_result *result, bool of_nll) {
    struct seed_range range = {0};
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        const struct scores *base = &result->base[v].scores;
        seed_range_add(&range, of_nll ? base->skill_nll : base->known_f1);
    }
    return range;
}

static void add_what(const struct sweep_result *result, struct text *text) {
    struct seed_range known = base_range(result, false), nll = base_range(result, true);
    size_t n_cells = 0;
    for (size_t s = 0; s < result->plan->n_series; s++) n_cells += result->plan->series[s].n_cells;
    text_add(text,
             "%s: %zu %s in a row, then %zu new and %zu known questions; %zu finetunings from each "
             "of %zu base model%s\nbase: known F1 %.3f",
             result->plan->name, result->n_lessons, result->unit, result->n_new, result->n_known,
             n_cells, result->plan->n_variants, result->plan->n_variants == 1 ? "" : "s",
             known.mean);
    if (known.n > 1) text_add(text, " [%.3f, %.3f]", known.least, known.most);
    text_add(text, ", skill NLL %.3f\n\n", nll.mean);
}

/* Orders rows by what they lose at the common level. */
struct loss {
    size_t row;
    double lost;
};

static int by_loss(const void *a, const void *b) {
    const struct loss *x = a, *y = b;
    if (x->lost != y->lost) return x->lost < y->lost ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* More than these are not named one by one. */
enum { MOST_NAMED = 6 };

static void add_loss(const struct sweep_result *result, const struct sweep_row *row, double lost,
                     struct text *text) {
    char name[NAME_SIZE];
    sweep_row_name(result, row, name, sizeof name);
    text_add(text, " %.1f %% (%s)", lost, name);
}

/* "at new F1 0.213, which all reach, the known F1 falls by 0.4 % (SMF), …"; of many rows "by 0.4 %
 * (SMF) to …, of 15 series" */
static void add_finding(const struct sweep_result *result, struct text *text) {
    size_t n;
    double level = sweep_common_level(result);
    struct sweep_row *rows = sweep_rows(result, &n);
    struct loss *losses = calloc(n + 1, sizeof *losses);
    if (rows == NULL || losses == NULL) {
        text->failed = true;
        free(losses);
        free(rows);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        losses[i] = (struct loss){i, sweep_lost_at(result, &rows[i], level).mean};
    }
    qsort(losses, n, sizeof *losses, by_loss);
    text_add(text, "finding: at new F1 %.3f, which all reach, the known F1 falls by", level);
    size_t step = n > MOST_NAMED ? n - 1 : 1;
    for (size_t i = 0; i < n; i += step) {
        const char *between = step > 1 ? " to" : i + 1 < n ? "," : " and";
        if (i > 0) text_add(text, "%s", between);
        add_loss(result, &rows[losses[i].row], losses[i].lost, text);
    }
    if (step > 1) text_add(text, ", of %zu series", n);
    text_add(text, "\n");
    free(losses);
    free(rows);
}

#define EXPLANATION                                                                              \
    "lost: fall of the known F1, in percent of the base's, read off the line through a series' " \
    "best\ncells and the base at that new F1; skill NLL: of the cell with the best new F1\n"

static const char *seeds_explanation(const struct sweep_result *result) {
    size_t n;
    struct sweep_row *rows = sweep_rows(result, &n);
    bool several = rows != NULL && rows[0].n_variants > 1;
    free(rows);
    return several ? "mean [least, most] over seeds; *: not every seed gets there\n" : "";
}

static void add_digest(const struct sweep_result *result, struct text *text) {
    if (result->mark[0] != '\0') {
        text_add(text, "NOT CANONICAL: the matrix products are by %s\n", result->mark);
    }
    text_add(text, "SHA-256 of all scores and models%s\n  %s\n",
             result->mark[0] == '\0' ? " (the same on every CPU and thread count)" : "",
             result->digest.hex);
}

char *sweep_report_text(const struct sweep_result *result) {
    struct text text = {0};
    struct table table = {0};
    make_table(result, &table);
    add_what(result, &text);
    table_print(&table, &text);
    text_add(&text, "\n%s%s\n", EXPLANATION, seeds_explanation(result));
    add_finding(result, &text);
    text_add(&text, "\n");
    add_digest(result, &text);
    table_free(&table);
    return text_take(&text);
}

/* The cells on the front of each series in each variant. */
static void add_fronts(const struct sweep_result *result, struct text *text) {
    const struct sweep_plan *plan = result->plan;
    struct table table = {.n_columns = 6};
    static const char *const head[] = {"series",   "settings",   "new F1",
                                       "known F1", "known lost", "skill NLL"};
    for (size_t i = 0; i < table.n_columns; i++) table_add(&table, "%s", head[i]);
    for (size_t v = 0; v < plan->n_variants; v++) {
        for (size_t s = 0; s < plan->n_series; s++) {
            for (size_t c = 0; c < plan->series[s].n_cells; c++) {
                const struct scores *scores = &result->cells[v][s][c].run.scores;
                if (!sweep_on_front(result, v, s, c)) continue;
                const char *folder = plan->variants[v].folder;
                table_add(&table, "%s%s%s", plan->series[s].name, folder[0] == '\0' ? "" : ", ",
                          folder);
                table_add(&table, "%s", plan->series[s].cells[c].label);
                table_add(&table, "%.3f", scores->new_f1);
                table_add(&table, "%.3f", scores->known_f1);
                table_add(
                    &table, "%.1f %%",
                    selection_drop_percent(result->base[v].scores.known_f1, scores->known_f1));
                table_add(&table, "%.3f", scores->skill_nll);
            }
        }
    }
    table_print_markdown(&table, text);
    table_free(&table);
}

static char *make_markdown(const struct sweep_result *result) {
    struct text text = {0};
    struct table table = {0};
    make_table(result, &table);
    text_add(&text, "# %s: learning against forgetting\n\n", result->plan->name);
    add_what(result, &text);
    table_print_markdown(&table, &text);
    text_add(&text, "\n%s%s\n", EXPLANATION, seeds_explanation(result));
    add_finding(result, &text);
    text_add(&text, "\n![known F1 against new F1](sweep.png)\n\n## Pareto fronts\n\n");
    add_fronts(result, &text);
    text_add(&text, "\n```\n");
    add_digest(result, &text);
    text_add(&text, "```\n");
    table_free(&table);
    return text_take(&text);
}

/* One line per cell. */
static char *make_csv(const struct sweep_result *result) {
    const struct sweep_plan *plan = result->plan;
    struct text text = {0};
    text_add(&text,
             "folder,series,settings,new_f1,new_em,known_f1,known_em,known_lost_percent,skill_nll,"
             "seconds,front,digest\n");
    for (size_t v = 0; v < plan->n_variants; v++) {
        const struct scores *base = &result->base[v].scores;
        text_add(&text, "%s,base,,%.9g,%.9g,%.9g,%.9g,0,%.9g,,,%s\n", plan->variants[v].folder,
                 base->new_f1, base->new_em, base->known_f1, base->known_em, base->skill_nll,
                 result->base[v].digest.hex);
        for (size_t s = 0; s < plan->n_series; s++) {
            for (size_t c = 0; c < plan->series[s].n_cells; c++) {
                const struct scored_run *run = &result->cells[v][s][c].run;
                text_add(&text, "%s,\"%s\",\"%s\",%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.3f,%d,%s\n",
                         plan->variants[v].folder, plan->series[s].name,
                         plan->series[s].cells[c].label, run->scores.new_f1, run->scores.new_em,
                         run->scores.known_f1, run->scores.known_em,
                         selection_drop_percent(base->known_f1, run->scores.known_f1),
                         run->scores.skill_nll, run->seconds, sweep_on_front(result, v, s, c),
                         run->digest.hex);
            }
        }
    }
    return text_take(&text);
}

mneme_status sweep_report_write(const struct sweep_result *result, const char *directory,
                                mneme_error *error) {
    mneme_status status = report_file_text(directory, "sweep.csv", make_csv(result), error);
    if (status == MNEME_OK) {
        status = report_file_text(directory, "sweep.md", make_markdown(result), error);
    }
    return status == MNEME_OK ? sweep_json_write(result, directory, error) : status;
}
