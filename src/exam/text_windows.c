#include "exam/text_windows.h"

#include <stdlib.h>

#include "base/memory.h"

/* The window from `begin` on, of which the tokens from `done` on are new. The guide counts a
 * window's mean once less than it has new tokens. */
static void add(struct text_windows *windows, const int32_t *tokens, size_t begin, size_t end,
                size_t done) {
    size_t n = end - begin, n_new = end - done;
    size_t n_scored = n_new < n ? n_new : n - 1;
    if (n_scored == 0) return;
    windows->spans[windows->n] = (struct scored_span){tokens + begin, n, n_scored};
    windows->weights[windows->n++] = (double)(n_new - 1);
}

mneme_status text_windows_open(struct text_windows *windows, const int32_t *tokens, size_t n_tokens,
                               size_t window, size_t stride, mneme_error *error) {
    *windows = (struct text_windows){0};
    windows->spans = memory_allocate(n_tokens / stride + 1, sizeof *windows->spans);
    windows->weights = memory_allocate(n_tokens / stride + 1, sizeof *windows->weights);
    if (windows->spans == NULL || windows->weights == NULL) {
        text_windows_close(windows);
        return error_set_memory(error, "the windows of a text");
    }
    for (size_t begin = 0, done = 0; done < n_tokens; begin += stride) {
        size_t end = n_tokens - begin < window ? n_tokens : begin + window;
        add(windows, tokens, begin, end, done);
        done = end;
    }
    return MNEME_OK;
}

void text_windows_close(struct text_windows *windows) {
    free(windows->spans);
    free(windows->weights);
    *windows = (struct text_windows){0};
}
