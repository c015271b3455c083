#ifndef EXAM_TEXT_WINDOWS_H
#define EXAM_TEXT_WINDOWS_H

#include "eval/span_likelihood.h"

/* The windows of a text with a stride, as Hugging Face's guide "Perplexity of fixed-length models"
 * cuts them: window i begins at token i * stride, the last ends where the text does, and each
 * predicts those of its tokens that no earlier one did. The text's first token is not predicted. */
struct text_windows {
    struct scored_span *spans; /* [n] in the tokens */
    double *weights;           /* [n] how much a window's mean counts there */
    size_t n;
};

/* 1 <= stride <= window. A window that predicts nothing is left out. */
mneme_status text_windows_open(struct text_windows *windows, const int32_t *tokens, size_t n_tokens,
                               size_t window, size_t stride, mneme_error *error);
/* Does nothing to {0}. */
void text_windows_close(struct text_windows *windows);

#endif
