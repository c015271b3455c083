#ifndef EXAM_CHOICE_SCORE_H
#define EXAM_CHOICE_SCORE_H

#include <mneme/eval.h>

#include "data/choices.h"
#include "exam/progress.h"
#include "exam/scored_pairs.h"
#include "exam/subject.h"

/* Multiple-choice questions whose endings' likelihoods are compared. */
struct asked_choices {
    const char *file;
    struct choice_set set;
    size_t n;                  /* questions that are asked */
    struct scored_pairs pairs; /* every ending of every question */
    size_t n_shortened;        /* questions */
};

/* Reads a file and makes tokens of it; `limit`: the first questions alone, 0: all. */
mneme_status asked_choices_load(struct asked_choices *asked, const struct subject *subject,
                                const char *file, size_t limit, mneme_error *error);
/* Does nothing to {0}. */
void asked_choices_free(struct asked_choices *asked);

/* Of equals the first ending counts. */
mneme_status asked_choices_score(const struct subject *subject, const struct asked_choices *asked,
                                 struct eval_progress *progress, mneme_eval_choices *result,
                                 mneme_error *error);

#endif
