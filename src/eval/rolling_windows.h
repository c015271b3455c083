#ifndef EVAL_ROLLING_WINDOWS_H
#define EVAL_ROLLING_WINDOWS_H

#include "eval/span_likelihood.h"

/* A text that is longer than what a model reads at once, cut so that each of its tokens is
 * predicted once: the windows of lm-evaluation-harness (`get_rolling_token_windows`, whose
 * context_len is window - stride + 1). The first window predicts up to `window` tokens after the
 * prefix; each later one the next `stride`, after as many of the tokens before as the window holds.
 */

struct rolling_windows {
    int32_t *tokens; /* [n_tokens + 1]: the prefix, then the text */
    struct scored_span *spans;
    size_t n;
};

/* 1 <= stride <= window: inputs of a window, and how many new tokens each later one predicts. */
mneme_status rolling_windows_open(struct rolling_windows *windows, int32_t prefix,
                                  const int32_t *tokens, size_t n_tokens, size_t window,
                                  size_t stride, mneme_error *error);
/* Does nothing to {0}. */
void rolling_windows_close(struct rolling_windows *windows);

#endif
