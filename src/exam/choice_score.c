#include "exam/choice_score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "text/unicode.h"
#include "text/utf8.h"

/* A context and an ending after it. White space at the context's end goes to the ending, as
 * lm-evaluation-harness has it. */
static mneme_status add_pair(struct asked_choices *asked, const struct subject *subject,
                             const struct choice_question *question, size_t i, mneme_error *error) {
    const char *start = question->context;
    size_t kept = strlen(start);
    unicode_trim(&start, &kept);
    if (kept > 0) kept += (size_t)(start - question->context);
    struct text text = {0};
    char place[600];
    text_add(&text, "%s%s%s", question->context + kept, question->lead, question->endings.texts[i]);
    snprintf(place, sizeof place, "%.500s: ending %zu", question->place, i + 1);
    char *context = strndup(question->context, kept), *ending = text_take(&text);
    mneme_status status = MNEME_OK;
    if (context == NULL || ending == NULL) status = error_set_memory(error, "an ending");
    THEN(scored_pairs_add(&asked->pairs, subject, context, ending, place, error));
    free(context);
    free(ending);
    return status;
}

mneme_status asked_choices_load(struct asked_choices *asked, const struct subject *subject,
                                const char *file, size_t limit, mneme_error *error) {
    *asked = (struct asked_choices){.file = file};
    mneme_status status = choices_load(file, &asked->set, error);
    asked->n = limit == 0 || limit > asked->set.n ? asked->set.n : limit;
    for (size_t i = 0; status == MNEME_OK && i < asked->n; i++) {
        const struct choice_question *question = &asked->set.questions[i];
        size_t before = asked->pairs.n_shortened;
        for (size_t k = 0; k < question->endings.n; k++) {
            THEN(add_pair(asked, subject, question, k, error));
        }
        asked->n_shortened += asked->pairs.n_shortened > before;
    }
    if (status != MNEME_OK) asked_choices_free(asked);
    return status;
}

void asked_choices_free(struct asked_choices *asked) {
    choices_free(&asked->set);
    scored_pairs_free(&asked->pairs);
    *asked = (struct asked_choices){0};
}

/* Ways to compare endings of different lengths: their likelihoods divided by a length. */
enum length { LENGTH_NONE, LENGTH_CHARACTERS, LENGTH_BYTES, LENGTH_TOKENS, LENGTHS };

static size_t count_characters(const char *text) {
    size_t n = 0, length = strlen(text);
    for (size_t at = 0; at < length; n++) at += utf8_decode_any(text + at, length - at, NULL);
    return n;
}

static double length_of(enum length kind, const char *ending, const struct scored_pair *pair) {
    switch (kind) {
        case LENGTH_CHARACTERS:
            return (double)count_characters(ending);
        case LENGTH_BYTES:
            return (double)strlen(ending);
        case LENGTH_TOKENS:
            return (double)pair->n_scored;
        default:
            return 1.0;
    }
}

/* The ending with the least NLL for its length; pairs and nll are the question's. */
static size_t choose(const struct choice_question *question, enum length kind,
                     const struct scored_pair *pairs, const double *nll) {
    size_t best = 0;
    double least = 0.0;
    for (size_t k = 0; k < question->endings.n; k++) {
        double score = nll[k] / length_of(kind, question->endings.texts[k], &pairs[k]);
        if (k > 0 && !(score < least)) continue;
        best = k;
        least = score;
    }
    return best;
}

static void count_right(const struct asked_choices *asked, const double *nll,
                        mneme_eval_choices *result) {
    size_t right[LENGTHS] = {0}, first = 0;
    for (size_t i = 0; i < asked->n; i++) {
        const struct choice_question *question = &asked->set.questions[i];
        for (enum length kind = 0; kind < LENGTHS; kind++) {
            size_t chosen = choose(question, kind, asked->pairs.pairs + first, nll + first);
            right[kind] += chosen == question->right;
        }
        first += question->endings.n;
    }
    double n = (double)asked->n;
    *result = (mneme_eval_choices){.file = asked->file,
                                   .n = asked->n,
                                   .acc = (double)right[LENGTH_NONE] / n,
                                   .acc_norm = (double)right[LENGTH_CHARACTERS] / n,
                                   .acc_norm_bytes = (double)right[LENGTH_BYTES] / n,
                                   .acc_norm_tokens = (double)right[LENGTH_TOKENS] / n,
                                   .n_shortened = asked->n_shortened};
}

mneme_status asked_choices_score(const struct subject *subject, const struct asked_choices *asked,
                                 struct eval_progress *progress, mneme_eval_choices *result,
                                 mneme_error *error) {
    size_t n = asked->pairs.n, longest;
    double *nll = memory_allocate(n, sizeof *nll);
    struct scored_span *spans = memory_allocate(n, sizeof *spans);
    mneme_status status = MNEME_OK;
    if (nll == NULL || spans == NULL) {
        status = error_set_memory(error, "the endings");
    } else {
        scored_pairs_spans(&asked->pairs, spans, &longest);
        eval_progress_begin(progress, "choices", asked->file, "endings", n);
        status = eval_progress_branches(progress, subject->model, n, spans, nll, error);
    }
    if (status == MNEME_OK) count_right(asked, nll, result);
    free(nll);
    free(spans);
    return status;
}
