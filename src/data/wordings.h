#ifndef DATA_WORDINGS_H
#define DATA_WORDINGS_H

#include "base/error.h"
#include "data/question_set.h"
#include "text/text_list.h"

/* Wordings that teach any question with its answer: forms (text/form.h), a line each, with
 * {question} and {answer}. Empty lines, and those that begin with #, do not count. Some forms are
 * turns of a chat. */
struct wordings {
    struct text_list forms; /* at least one */
};

/* Reads a file of wordings; NULL: the built-in ones, data/wordings/questions.txt. MNEME_BAD_INPUT,
 * "PATH:LINE: cause", for a line that is no form, or has no question or answer, and for a file
 * without forms. */
mneme_status wordings_load(const char *path, struct wordings *wordings, mneme_error *error);
/* Does nothing to {0}. */
void wordings_free(struct wordings *wordings);

/* Appends what teaches a record: its statements, then its question with its first answer in each
 * wording, and turns of a chat last, where chat. `question` is how the question is written (see
 * question_marked); NULL in a record of statements alone. A text that would come twice comes once.
 */
mneme_status wordings_of(const struct wordings *wordings, const struct question *record,
                         const char *question, bool chat, struct text_list *texts,
                         mneme_error *error);

/* The question with exactly one question mark at its end; the caller frees it, NULL without memory.
 */
char *question_marked(const char *question);
/* The question as a form wants it: where the form has a question mark right after {question}, the
 * text has none of its own at its end. The same rules for freeing. */
char *question_in_form(const char *form, const char *marked);

#endif
