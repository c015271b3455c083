#ifndef EVAL_QA_SCORE_H
#define EVAL_QA_SCORE_H

#include <stddef.h>

#include "base/error.h"

/* SQuAD's answer scores (Rajpurkar et al. 2016): text is lowercased, ASCII punctuation removed, the
 * words a, an and the removed, white space collapsed. Lowercasing knows ASCII, Latin-1, Latin
 * Extended-A, Greek and Cyrillic; other bytes stay as they are. Doubles, in a fixed order. */

/* Returns the normalised text, malloc'ed; NULL when memory is short. */
char *qa_normalize(const char *text);

/* *f1 = best over the answers of 2 P R / (P + R) over the words both have, as multisets; two empty
 * texts agree. *exact_match = 1 if the normalised text equals an answer's, else 0. */
mneme_status qa_score(const char *said, const char *const *answers, size_t n_answers, double *f1,
                      double *exact_match, mneme_error *error);

#endif
