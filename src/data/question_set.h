#ifndef DATA_QUESTION_SET_H
#define DATA_QUESTION_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "text/text_list.h"

/* All strings are UTF-8, without white space at the ends, and owned by the set. */
struct question {
    char *question;              /* NULL: a record of statements alone */
    struct text_list answers;    /* any of them is right; at least one */
    char *explanation;           /* GSM8K: the whole answer text with its steps; else NULL */
    struct text_list statements; /* sentences that say it; may be none */
};

struct question_set {
    struct question *questions; /* [n] in the order of the file */
    size_t n;
    size_t capacity;
    bool takes_statements; /* as questions without an answer, see questions_load_facts */
    bool is_text;          /* the file was text: each text a `question`, with no answers */
    size_t n_unanswered;   /* questions that the file marks as without an answer; left out */
};

/* Appends a question without answers: text[0..length) without the white space at its ends. One that
 * is empty is MNEME_BAD_INPUT, with a message that begins with `place`. */
mneme_status question_add(struct question_set *set, const char *text, size_t length,
                          const char *place, mneme_error *error);

/* Appends a text, trimmed likewise, to a set of texts alone. An empty one is left out; one among
 * questions is MNEME_BAD_INPUT. */
mneme_status question_add_text(struct question_set *set, const char *text, const char *place,
                               mneme_error *error);

/* Adds an answer to the last question, trimmed likewise. A repeated answer is left out. */
mneme_status question_add_answer(struct question_set *set, const char *text, size_t length,
                                 const char *place, mneme_error *error);

/* The same for a text that may be a list of answers as JSON or Python prints it, ["one", 'two']. */
mneme_status question_add_listed(struct question_set *set, const char *text, const char *place,
                                 mneme_error *error);

/* Appends a record of statements alone, which follow. */
mneme_status question_add_record(struct question_set *set, mneme_error *error);

/* Adds a statement to the last question, trimmed likewise. An empty one is left out. */
mneme_status question_add_statement(struct question_set *set, const char *text, mneme_error *error);
/* The same for a text that may be a list of statements as JSON or Python prints it. */
mneme_status question_add_listed_statements(struct question_set *set, const char *text,
                                            mneme_error *error);

void questions_free(struct question_set *set);

#endif
