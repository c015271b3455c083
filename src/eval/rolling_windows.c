#include "eval/rolling_windows.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

mneme_status rolling_windows_open(struct rolling_windows *windows, int32_t prefix,
                                  const int32_t *tokens, size_t n_tokens, size_t window,
                                  size_t stride, mneme_error *error) {
    *windows = (struct rolling_windows){0};
    windows->tokens = memory_allocate(n_tokens + 1, sizeof *windows->tokens);
    windows->spans = memory_allocate(n_tokens / stride + 2, sizeof *windows->spans);
    if (windows->tokens == NULL || windows->spans == NULL) {
        rolling_windows_close(windows);
        return error_set_memory(error, "the windows of a text");
    }
    windows->tokens[0] = prefix;
    if (n_tokens > 0) memcpy(windows->tokens + 1, tokens, n_tokens * sizeof *tokens);
    for (size_t done = 0; done < n_tokens;) {
        size_t left = n_tokens - done, most = done == 0 ? window : stride;
        size_t n_scored = left < most ? left : most;
        size_t end = done + n_scored + 1; /* in windows->tokens */
        size_t n = end < window + 1 ? end : window + 1;
        windows->spans[windows->n++] =
            (struct scored_span){windows->tokens + (end - n), n, n_scored};
        done += n_scored;
    }
    return MNEME_OK;
}

void rolling_windows_close(struct rolling_windows *windows) {
    free(windows->tokens);
    free(windows->spans);
    *windows = (struct rolling_windows){0};
}
