#ifndef DATA_CORPUS_PARTS_H
#define DATA_CORPUS_PARTS_H

#include <stddef.h>

#include "data/corpus.h"
#include "text/text_list.h"

/* What corpora from worlds and from questions share. */

/* The text as it is compared: lowercased as Python does it, with one blank between words; NULL
 * without memory. */
char *question_fold(const char *text);

/* Question forms are templates with {question} and, after it, {answer}. */

/* Appends question and answer in each form. */
mneme_status question_texts(const char *const *forms, size_t n_forms, const char *question,
                            const char *answer, struct text_list *texts, mneme_error *error);

/* *prompt becomes the question in this form up to the answer, without the spaces before it. */
mneme_status question_prompt(const char *form, const char *question, char **prompt,
                             mneme_error *error);

#endif
