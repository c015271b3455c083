#ifndef EXAM_EXAM_REPORT_H
#define EXAM_EXAM_REPORT_H

#include <mneme/eval.h>

/* Results of an evaluation as people read them, and as programs do; malloc'ed, NULL without memory.
 */
char *exam_report_table(const mneme_eval_results *results);
char *exam_report_json(const mneme_eval_results *results);

#endif
