#ifndef TEXT_FORM_H
#define TEXT_FORM_H

#include <stdbool.h>
#include <stddef.h>

/* Forms of texts about a question, as users write them: "Q: {question}\nA: {answer}". Places are
 * {question}, {answer}, {shots}, and the turns of a chat {system}, {user}, {assistant}; \n, \t, \\,
 * \{, \} and \# are the characters that they are in C or stand for themselves.
 *
 * A form that was read has a byte for each place. UTF-8 has none of these bytes, so that no text of
 * a file can be taken for a place. */

enum form_place {
    FORM_QUESTION = 0xf8,
    FORM_ANSWER,
    FORM_SHOTS,
    FORM_SYSTEM, /* what follows is the system's, up to the next turn */
    FORM_USER,
    FORM_ASSISTANT,
};

/* Reads text[0..length), which is UTF-8; the caller frees the form. NULL with *cause, which begins
 * with "is" or "has", for a text that is none; NULL with *cause NULL without memory. */
char *form_read(const char *text, size_t length, const char **cause);

/* How often a place stands in a form. */
size_t form_count(const char *form, enum form_place place);
/* Whether a byte of a form or a text is a turn of a chat. */
bool form_is_turn(char byte);
/* Whether a form or a text has turns. */
bool form_is_chat(const char *form);

/* What goes into the places; what is NULL counts as "". */
struct form_values {
    const char *question, *answer, *shots;
};

/* The form with its places filled; turns stay. The caller frees it; NULL without memory. */
char *form_fill(const char *form, const struct form_values *values);

/* A text with its turns as people read them, on lines of their own: "user: …". The caller frees it;
 * NULL without memory. */
char *form_show(const char *text);

#endif
