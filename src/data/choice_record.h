#ifndef DATA_CHOICE_RECORD_H
#define DATA_CHOICE_RECORD_H

#include <jansson.h>
#include <stdbool.h>

#include "text/text_list.h"

/* A multiple-choice question: a beginning, and endings of which one is right. */
struct choice_question {
    char *context; /* what stands before the endings */
    struct text_list endings;
    const char *lead; /* what stands between: a blank, or "" where the context ends with one */
    size_t right;     /* its index */
    char *place;      /* "PATH:LINE" */
};

/* Reads a record into *question, which is {0}; *cause is a text that lives on, or NULL without
 * memory. False for what is no multiple-choice question; the question may then be half filled. */
bool choice_read_record(const json_t *record, struct choice_question *question, const char **cause);

#endif
