#include "exam/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/shared_likelihood.h"
#include "exam/branch_likelihood.h"

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

static mneme_status check_finite(const struct eval_progress *progress, size_t n, const double *nll,
                                 mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (isfinite(nll[i])) continue;
        return error_set(error, MNEME_FAILED, "%s: the model gives no number at %zu of the %s",
                         progress->stage, i + 1, progress->unit);
    }
    return MNEME_OK;
}

mneme_status eval_progress_read(struct eval_progress *progress, struct span_reader *reader,
                                size_t n, const struct scored_span *spans, double *nll,
                                mneme_error *error) {
    struct reading reading = {progress, spans, 0};
    TRY(span_likelihoods(reader, n, spans, nll, NULL, tell, &reading, error));
    return check_finite(progress, n, nll, error);
}

mneme_status eval_progress_shared(struct eval_progress *progress, const struct model *model,
                                  size_t n, const struct scored_span *spans, double *nll,
                                  mneme_error *error) {
    struct reading reading = {progress, spans, 0};
    TRY(shared_likelihoods(model, n, spans, nll, tell, &reading, error));
    return check_finite(progress, n, nll, error);
}

mneme_status eval_progress_branches(struct eval_progress *progress, const struct model *model,
                                    size_t n, const struct scored_span *spans, double *nll,
                                    mneme_error *error) {
    struct reading reading = {progress, spans, 0};
    TRY(branch_likelihoods(model, n, spans, nll, tell, &reading, error));
    return check_finite(progress, n, nll, error);
}
