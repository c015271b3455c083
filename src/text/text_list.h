#ifndef TEXT_TEXT_LIST_H
#define TEXT_TEXT_LIST_H

#include <stddef.h>

#include "base/error.h"

/* Strings that grow as they are added to; owns them. All zero is an empty list. */
struct text_list {
    char **texts; /* [n] */
    size_t n;
    size_t capacity;
};

/* Appends `text` and takes ownership of it, even when the call fails. A NULL text, from a failed
 * allocation, is MNEME_FAILED. */
mneme_status text_list_add(struct text_list *list, char *text, mneme_error *error);

/* Appends a copy of text[0..length). */
mneme_status text_list_add_copy(struct text_list *list, const char *text, size_t length,
                                mneme_error *error);

void text_list_free(struct text_list *list);

#endif
