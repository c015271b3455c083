#ifndef DATA_QUESTION_NAMES_H
#define DATA_QUESTION_NAMES_H

#include <stddef.h>

/* What people call the parts of a record, in any case; lists end with NULL, and the first name that
 * is there counts. */

static const char *const question_names[] = {"question", "problem", NULL};
static const char *const answer_names[] = {"answer", "answers", "possible_answers",
                                           "golden_answers", NULL};
/* Sentences that say the same: one text, or a list. */
static const char *const statement_names[] = {"statements", "statement", NULL};
/* Further answers beside the answer. */
static const char *const alias_names[] = {"aliases", "answer_aliases", NULL};
/* Of a question with given answers to choose from. */
static const char *const choice_names[] = {"choices", "options", "answerKey", NULL};

#endif
