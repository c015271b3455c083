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

void examination_free(mneme_eval_results *results);

#endif
