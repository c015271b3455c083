#ifndef RUN_ANSWERS_H
#define RUN_ANSWERS_H

#include <stdio.h>

#include "data/corpus.h"
#include "run/scores.h"

/* answers.jsonl: a line for every question that a model was asked, with its answers, what the model
 * said, the F1 of that, and perhaps the NLL of the first answer. */

struct answer {
    const char *set; /* "new" or "known" */
    const struct fact *fact;
    const char *said; /* [length] */
    size_t length;
    double f1;
    const double *nll; /* NULL: none */
};

mneme_status answers_add(FILE *stream, const struct answer *answer, mneme_error *error);

/* A line that was read; its strings are the reader's. */
struct answer_read {
    const char *set, *prompt;
    double f1;
};

/* Hands on every line of the file. MNEME_BAD_INPUT for one that is none. */
mneme_status answers_read(const char *path,
                          mneme_status (*take)(void *user, const struct answer_read *line,
                                               size_t number, mneme_error *error),
                          void *user, mneme_error *error);

/* Refuses, with MNEME_BAD_INPUT, a file whose lines do not have the scores' mean F1. */
mneme_status answers_check(const char *path, const struct scores *scores, mneme_error *error);

#endif
