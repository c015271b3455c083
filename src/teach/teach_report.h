#ifndef TEACH_TEACH_REPORT_H
#define TEACH_TEACH_REPORT_H

#include "teach/course.h"
#include "teach/watch.h"

/* What came of teaching. */
struct outcome {
    const char *patch_path;
    const char *keep_path; /* NULL: none */
    const struct patch *patch;
    const struct teach_settings *settings;
    struct measures before, after;
    bool has_questions, has_keep;
    size_t n_taught, n_there;      /* facts, and those that the patch had before */
    struct course_result *results; /* [n_taught] */
    bool stopped;
    struct losses lost;
};

/* As text or, with json, as a JSON object; the caller frees it. */
mneme_status teach_report(const struct outcome *outcome, bool json, char **report,
                          mneme_error *error);

#endif
