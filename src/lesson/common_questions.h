#ifndef LESSON_COMMON_QUESTIONS_H
#define LESSON_COMMON_QUESTIONS_H

#include "data/question_set.h"

/* The built-in questions of data/questions/common.tsv. */
mneme_status common_questions_load(struct question_set *set, mneme_error *error);

#endif
