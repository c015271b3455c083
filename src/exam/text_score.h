#ifndef EXAM_TEXT_SCORE_H
#define EXAM_TEXT_SCORE_H

#include <mneme/eval.h>

#include "exam/progress.h"
#include "exam/subject.h"
#include "text/text_list.h"

/* A file or folder of texts whose perplexity is measured. */
struct read_text {
    const char *file;
    struct text_list documents; /* each begins anew */
};

/* Reads a file or folder (corpus/text_files.h); `limit`: the first documents alone, 0: all. */
mneme_status read_text_load(struct read_text *text, const char *source, size_t limit,
                            mneme_error *error);
/* Does nothing to {0}. */
void read_text_free(struct read_text *text);

/* With a stride of 0, lm-evaluation-harness's windows (rolling_windows.h), each document after the
 * subject's prefix; otherwise those of text_windows.h. */
mneme_status read_text_score(const struct subject *subject, const struct read_text *text,
                             size_t window, size_t stride, struct eval_progress *progress,
                             mneme_eval_text *result, mneme_error *error);

#endif
