#include "eval/progress.h"

#include <stdio.h>
#include <string.h>

void eval_progress_begin(struct eval_progress *progress, const char *what, const char *file,
                         const char *unit, size_t total) {
    const char *slash = strrchr(file, '/');
    snprintf(progress->stage, sizeof progress->stage, "%s %.40s", what,
             slash == NULL ? file : slash + 1);
    progress->unit = unit;
    progress->done = progress->tokens = 0;
    progress->total = total;
}

void eval_progress_add(struct eval_progress *progress, size_t done, size_t tokens) {
    progress->done += done;
    progress->tokens += tokens;
    if (progress->call == NULL) return;
    const mneme_progress told = {.stage = progress->stage,
                                 .unit = progress->unit,
                                 .done = progress->done,
                                 .total = progress->total,
                                 .tokens = progress->tokens};
    progress->call(&told, progress->user);
}

/* Spans that are being read, and how many of them were told. */
struct reading {
    struct eval_progress *progress;
    const struct scored_span *spans;
    size_t told;
};

static void tell(size_t done, void *context) {
    struct reading *reading = context;
    size_t tokens = 0;
    for (size_t i = reading->told; i < done; i++) tokens += reading->spans[i].n - 1;
    eval_progress_add(reading->progress, done - reading->told, tokens);
    reading->told = done;
}

mneme_status eval_progress_read(struct eval_progress *progress, struct span_reader *reader,
                                size_t n, const struct scored_span *spans, double *nll,
                                mneme_error *error) {
    struct reading reading = {progress, spans, 0};
    return span_likelihoods(reader, n, spans, nll, NULL, tell, &reading, error);
}
