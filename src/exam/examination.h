#ifndef EXAM_EXAMINATION_H
#define EXAM_EXAMINATION_H

#include <mneme/eval.h>

#include "generate/language_model.h"

/* mneme_eval of <mneme/eval.h> with a model that is open: all files are read before anything is
 * computed. `options->model` is only a name for messages and where a chat template is looked for.
 */
mneme_status examination_run(const struct language_model *language,
                             const mneme_eval_options *options, mneme_eval_results *results,
                             mneme_error *error);

/* How much is asked. */
struct exam_extent {
    double read_tokens;    /* of prompts, texts and endings, with what stands before them */
    double mean_length;    /* of what is read in one piece */
    double predicted;      /* of those tokens, those whose likelihood counts, and prompts' last */
    double written_tokens; /* of answers, at most */
    double written_passes; /* that write them, many at a time */
};

/* In a rehearsal: reads all files, opens what computing needs, and closes it. */
mneme_status examination_rehearse(const struct language_model *language,
                                  const mneme_eval_options *options, struct exam_extent *extent,
                                  mneme_error *error);

void examination_free(mneme_eval_results *results);

#endif
