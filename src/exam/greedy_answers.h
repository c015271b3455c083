#ifndef EXAM_GREEDY_ANSWERS_H
#define EXAM_GREEDY_ANSWERS_H

#include "exam/asked_questions.h"
#include "exam/progress.h"

/* said[i] [asked->n], NULL before, becomes what the model says to prompt i: greedily, at most
 * max_new tokens, up to the end of the text, of the chat's turn, or of the line; without white
 * space at its ends, as UTF-8, malloc'ed. Many prompts are continued side by side. */
mneme_status greedy_answers(const struct subject *subject, const struct asked_questions *asked,
                            size_t max_new, struct eval_progress *progress, char **said,
                            mneme_error *error);

#endif
