#ifndef COMPARE_REPORT_H
#define COMPARE_REPORT_H

#include <jansson.h>

#include "compare/measure.h"
#include "compare/result.h"
#include "report/table.h"

/* The comparison as lines of text; malloc'ed, NULL when out of memory. */
char *report_text(const struct result *result);

/* Writes the comparison as Markdown, JSON and CSV into the folder: report.md, report.json and
 * tradeoff.csv of a run; sweep.md, sweep.json and sweep.csv of a sweep. */
mneme_status report_write(const struct result *result, const char *folder, mneme_error *error);

/* The files that a report leaves in the folder: those of report_write, its pictures with what
 * gnuplot makes them from, and a sweep's recipe. Some may not be there. */
#define REPORT_MAX_FILES 10
struct report_files {
    struct path paths[REPORT_MAX_FILES];
    size_t n;
};
struct report_files report_files(const struct result *result, const char *folder);

/* The files of report_write as text: malloc'ed, NULL without memory. */
char *report_markdown(const struct result *result);
char *report_csv(const struct result *result);
/* The caller owns it; NULL without memory. */
json_t *report_json(const struct result *result);

/* The parts that a run and a sweep tell in their own words. */
struct report_form {
    const char *report;                                         /* name of the .md and .json */
    const char *picture;                                        /* of the .csv, .svg and .png */
    void (*add_text)(const struct result *, struct text *);     /* for a terminal */
    void (*add_markdown)(const struct result *, struct text *); /* below the title */
    void (*add_csv)(const struct result *, struct text *);
    void (*add_json)(const struct result *, json_t *root); /* to what both have */
};

/* Adds a score with three digits; "–" of one that is not there. */
void report_add_score(struct table *table, bool there, double score);
void report_add_nll(struct table *table, const struct scores *scores);
/* The measures that the result's bases have; of a summary those of that alone. */
size_t report_measures(const struct result *result, bool is_summary,
                       const struct measure *list[MEASURES]);
/* Adds a cell for each of n measures. */
void report_add_measures(struct table *table, size_t n, const struct measure *const *measures,
                         const struct scores *scores);
/* Adds a number with all digits, or nothing where there is none, with a comma before it. */
void report_add_csv(struct text *text, bool there, double number);
/* The skill's NLL and all measures of the result in that way; their names. */
void report_add_csv_held_out(struct text *text, const struct result *result,
                             const struct scores *scores);
void report_add_csv_names(struct text *text, const struct result *result);
/* Adds a line on what the base's last step of pretraining read of its memory, where that was
 * counted; the same as a member of the base. */
void report_add_slots(const struct scored_run *base, struct text *text);
void report_slots_to_json(const struct scored_run *base, json_t *object);
/* Adds a line on finetunings that are in the folder and not in the plan, if there are any. */
void report_add_left_out(const struct result *result, struct text *text);

const struct report_form *report_form(const struct result *result);

extern const struct report_form report_form_run, report_form_sweep;

#endif
