#ifndef EXAM_QUESTION_SCORE_H
#define EXAM_QUESTION_SCORE_H

#include <stdio.h>

#include <mneme/eval.h>

#include "exam/asked_questions.h"
#include "exam/progress.h"

/* Asks them; `answers` gets a JSON line for each, unless it is NULL. */
mneme_status asked_questions_score(const struct subject *subject,
                                   const struct question_manner *manner,
                                   const struct asked_questions *asked, FILE *answers,
                                   struct eval_progress *progress, mneme_eval_questions *result,
                                   mneme_error *error);

#endif
