#ifndef EXAM_ANSWER_LINES_H
#define EXAM_ANSWER_LINES_H

#include <stdio.h>

#include "base/error.h"
#include "data/question_set.h"

/* A question with what a model said to it, as a JSON line. */
struct answer_line {
    const char *file;   /* of the question */
    const char *prompt; /* a chat's as people read it */
    const struct question *question;
    const char *said;
    double f1, exact_match;
    double answer_nll; /* of n_tokens */
    size_t n_tokens;
};

mneme_status answer_line_write(FILE *stream, const struct answer_line *line, mneme_error *error);

#endif
