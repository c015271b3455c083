#ifndef EVAL_QA_SCORE_H
#define EVAL_QA_SCORE_H

#include <stddef.h>

#include "base/error.h"

/* SQuAD's answer scores (Rajpurkar et al. 2016, its evaluation scripts 1.1 and 2.0), equal to the
 * scripts' on every text: lowercased as Python's str.lower has it, ASCII punctuation removed, the
 * words a, an and the between word boundaries (\b) removed, split at Unicode's white space. Bytes
 * that are no UTF-8 count as U+FFFD. Where both texts are empty by then, F1 is 1, as script 2.0
 * has it (1.1 has 0, beside an exact match of 1). */

/* Returns the normalised text as UTF-8, malloc'ed; NULL when memory is short. */
char *qa_normalize(const char *text, size_t length);

/* *f1 = best over the answers of 2 P R / (P + R) over the words both have, as multisets, in the
 * scripts' order of double operations; two empty texts agree. *exact_match = 1 if the normalised
 * said[0..length) equals an answer's, else 0. Answers are NUL-terminated; without any, both are 0.
 */
mneme_status qa_score(const char *said, size_t length, const char *const *answers, size_t n_answers,
                      double *f1, double *exact_match, mneme_error *error);

#endif
