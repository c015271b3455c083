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

/* Refuses, with MNEME_BAD_INPUT, a file whose lines do not have the scores' mean F1. */
mneme_status answers_check(const char *path, const struct scores *scores, mneme_error *error);

#endif
