#include "eval/held_out.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eval/span_likelihood.h"

/* Windows that are read, and how many tokens they score. */
struct windows {
    struct scored_span *spans;
    size_t n, capacity;
    size_t n_scored;
};

/* The windows of n tokens after tokens[0]; one with fewer tokens to score reads more before them.
 */
static mneme_status cut_document(struct windows *windows, const int32_t *tokens, size_t n,
                                 size_t window, mneme_error *error) {
    for (size_t done = 0; done < n;) {
        const size_t n_scored = n - done < window ? n - done : window;
        TRY(memory_grow((void **)&windows->spans, &windows->capacity, windows->n + 1,
                        sizeof *windows->spans, "the windows of a text", error));
        const size_t end = done + n_scored + 1, size = end < window + 1 ? end : window + 1;
        windows->spans[windows->n++] = (struct scored_span){tokens + (end - size), size, n_scored};
        windows->n_scored += n_scored;
        done += n_scored;
    }
    return MNEME_OK;
}

static mneme_status cut_documents(const struct held_out *h, struct windows *windows,
                                  mneme_error *error) {
    const struct packed_text *text = h->text;
    const size_t most = h->max_tokens == 0 ? SIZE_MAX : h->max_tokens;
    size_t at = 0, n;
    while (windows->n_scored < most && packed_text_document(text, &at, &n)) {
        const size_t left = most - windows->n_scored;
        TRY(cut_document(windows, text->tokens + at - 1, n < left ? n : left, text->sequence_length,
                         error));
        at += n;
    }
    return MNEME_OK;
}

/* What passes tell of. */
struct telling {
    const struct held_out *held_out;
    size_t n_windows;
};

static void tell(size_t done, void *context) {
    const struct telling *telling = context;
    const struct held_out *h = telling->held_out;
    if (h->progress != NULL) h->progress(done, telling->n_windows, h->context);
}

static mneme_status read_windows(const struct held_out *h, const struct model *model,
                                 const struct windows *windows, double *nll, mneme_error *error) {
    struct span_reader reader = {0};
    struct telling telling = {h, windows->n};
    double *each = memory_allocate(windows->n, sizeof *each), sum = 0.0;
    mneme_status status =
        each == NULL ? error_set_memory(error, "the windows of a text") : MNEME_OK;
    THEN(span_reader_open(&reader, model, h->text->sequence_length + 1, error));
    THEN(span_likelihoods(&reader, windows->n, windows->spans, each, NULL, tell, &telling, error));
    for (size_t i = 0; i < windows->n && status == MNEME_OK; i++) sum += each[i];
    span_reader_close(&reader);
    free(each);
    if (status != MNEME_OK) return status;
    *nll = sum / (double)windows->n_scored;
    if (isfinite(*nll)) return MNEME_OK;
    return error_set(error, MNEME_FAILED, "the held-out text's NLL is not finite");
}

mneme_status held_out_nll(const struct held_out *held_out, const struct model *model, double *nll,
                          mneme_error *error) {
    struct windows windows = {0};
    mneme_status status = cut_documents(held_out, &windows, error);
    if (status == MNEME_OK && windows.n == 0) {
        status = error_set(error, MNEME_BAD_INPUT, "the held-out text has no token");
    }
    THEN(read_windows(held_out, model, &windows, nll, error));
    free(windows.spans);
    return status;
}
