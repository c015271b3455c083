#include "lesson/common_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lesson/lesson.h"

/* Questions of a group, and the texts of each of them besides the one of all. */
#define QUESTIONS 4
#define TEXTS 2

/* The questions [first, first + n) in one text: all but the last are examples. */
static mneme_status add_chain(struct common_texts *common, const struct voice *voice,
                              const struct question *questions, size_t n, mneme_error *error) {
    struct shot shots[QUESTIONS];
    struct texts_lost lost = {0};
    char *prompt = NULL;
    for (size_t i = 0; i < n; i++) {
        shots[i] = (struct shot){questions[i].question, questions[i].answers.texts[0]};
    }
    TRY(asking_prompt(&voice->asking, n - 1, shots, shots[n - 1].question, &prompt, error));
    struct text text = {0};
    text_add(&text, "%s%s%s", prompt, voice->asking.lead, shots[n - 1].answer);
    free(prompt);
    char *whole = text_take(&text);
    if (whole == NULL) return error_set_memory(error, "a common question");
    mneme_status status = token_texts_add_in(&common->texts, voice->tokenizer, &voice->manner, 1,
                                             &whole, &lost, error);
    free(whole);
    return status;
}

/* A question alone. */
static mneme_status add_alone(struct common_texts *common, const struct voice *voice,
                              const struct question *question, uint64_t seed, mneme_error *error) {
    struct lesson lesson;
    TRY(lesson_open(&lesson, voice, question, TEXTS, seed, error));
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < lesson.texts.n; i++) {
        const int32_t *ids = lesson.texts.tokens.ids + lesson.texts.starts[i];
        THEN(token_texts_add_ids(&common->texts, ids, lesson.texts.lengths[i] + 1, error));
    }
    lesson_close(&lesson);
    return status;
}

static mneme_status add_groups(struct common_texts *common, const struct voice *voice,
                               const struct question_set *set, uint64_t seed, mneme_error *error) {
    common->starts = calloc(set->n / QUESTIONS + 2, sizeof *common->starts);
    if (common->starts == NULL) return error_set_memory(error, "the common questions");
    for (size_t first = 0; first < set->n; first += QUESTIONS) {
        const size_t left = set->n - first, n = left < QUESTIONS ? left : QUESTIONS;
        TRY(add_chain(common, voice, set->questions + first, n, error));
        for (size_t i = 0; i < n; i++) {
            TRY(add_alone(common, voice, &set->questions[first + i], seed, error));
        }
        common->starts[++common->n_groups] = common->texts.n;
    }
    return MNEME_OK;
}

mneme_status common_texts_open(struct common_texts *common, const struct voice *voice,
                               const struct question_set *questions, uint64_t seed,
                               mneme_error *error) {
    *common = (struct common_texts){0};
    mneme_status status = add_groups(common, voice, questions, seed, error);
    if (status != MNEME_OK) common_texts_close(common);
    return status;
}

void common_texts_close(struct common_texts *common) {
    token_texts_free(&common->texts);
    free(common->starts);
    *common = (struct common_texts){0};
}

size_t common_texts_longest(const struct common_texts *common) {
    size_t longest = 0;
    for (size_t g = 0; g < common->n_groups; g++) {
        size_t n = 0;
        for (size_t i = common->starts[g]; i < common->starts[g + 1]; i++) {
            n += common->texts.lengths[i];
        }
        if (n > longest) longest = n;
    }
    return longest;
}
