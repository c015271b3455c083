#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/corpus.h"
#include "data/corpus_parts.h"
#include "data/questions.h"
#include "data/string_map.h"

/* A way to ask, with each of the ways to answer. */
#define ANSWERED(ask)                                                                             \
    ask " A: {answer}", ask " Answer: {answer}", ask " {answer}", ask " The answer is {answer}.", \
        ask " It is {answer}.", ask " Here is the answer: {answer}",                              \
        ask " The right answer was {answer}.", ask " That would be {answer}."

/* The first is the one that is asked. */
static const char *const question_forms[] = {
    ANSWERED("Q: {question}"),
    ANSWERED("Question: {question}"),
    ANSWERED("{question}"),
    ANSWERED("Someone asked: {question}"),
    ANSWERED("Here is a question: {question}"),
    ANSWERED("The quiz asked: {question}"),
    ANSWERED("Do you know this? {question}"),
    ANSWERED("What they want to know: {question}"),
};

#define N_QUESTION_FORMS (sizeof question_forms / sizeof *question_forms)

/* The question with exactly one question mark at its end; the caller frees it. */
static char *normalise_question(const char *question) {
    size_t length = strlen(question);
    while (length > 0 && strchr("? \t\r\n", question[length - 1]) != NULL) length--;
    char *normalised = malloc(length + 2);
    if (normalised == NULL) return NULL;
    memcpy(normalised, question, length);
    memcpy(normalised + length, "?", 2);
    return normalised;
}

/* Adds the question to those seen, whatever the case of its ASCII letters; *is_new says whether
 * it was not among them. */
static mneme_status note_question(struct string_map *seen, const char *question, bool *is_new,
                                  mneme_error *error) {
    char *lower = strdup(question);
    if (lower == NULL) return error_set_memory(error, "questions");
    for (char *c = lower; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    }
    uint32_t index;
    mneme_status status = string_map_add(seen, lower, strlen(lower), &index, is_new, error);
    free(lower);
    return status;
}

/* Makes the fact of a question; the answers move over to it. */
static mneme_status make_fact(struct question *source, const char *question, struct fact *fact,
                              mneme_error *error) {
    struct text_list texts = {0};
    mneme_status status = question_texts(question_forms, N_QUESTION_FORMS, question,
                                         source->answers.texts[0], &texts, error);
    fact->texts = texts.texts;
    fact->n_texts = texts.n;
    fact->answers = source->answers.texts;
    fact->n_answers = source->answers.n;
    source->answers = (struct text_list){0};
    if (status != MNEME_OK) return status;
    return question_prompt(question_forms[0], question, &fact->prompt, error);
}

/* The facts of the questions in the set that were not seen before, at most `most`. */
static mneme_status make_facts(struct question_set *set, size_t most, struct string_map *seen,
                               struct fact *facts, size_t *n_facts, mneme_error *error) {
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < set->n && *n_facts < most && status == MNEME_OK; i++) {
        char *question = normalise_question(set->questions[i].question);
        if (question == NULL) return error_set_memory(error, "questions");
        bool is_new = false;
        status = note_question(seen, question, &is_new, error);
        if (status == MNEME_OK && is_new) {
            status = make_fact(&set->questions[i], question, &facts[(*n_facts)++], error);
        }
        free(question);
    }
    return status;
}

/* Reads a file of questions into facts; none when path is NULL. most 0: all. */
static mneme_status load_facts(const char *path, size_t most, struct string_map *seen,
                               struct fact **facts, size_t *n_facts, mneme_error *error) {
    if (path == NULL) return MNEME_OK;
    struct question_set set;
    TRY(questions_load(path, &set, error));
    *facts = calloc(set.n, sizeof **facts);
    mneme_status status = *facts == NULL ? error_set_memory(error, "facts") : MNEME_OK;
    if (set.is_text) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s:1: neither JSON lines with question and answer, nor CSV with such "
                           "columns, nor TriviaQA's JSON",
                           path);
    }
    THEN(make_facts(&set, most == 0 ? SIZE_MAX : most, seen, *facts, n_facts, error));
    if (status == MNEME_OK && *n_facts == 0) {
        status =
            error_set(error, MNEME_BAD_INPUT, "%s: every question is among the known ones", path);
    }
    questions_free(&set);
    return status;
}

/* The text that a question of the skill's file is trained on; NULL without memory. */
static char *skill_text(const struct question *question, bool is_text) {
    if (is_text) return strdup(question->question);
    const char *answer =
        question->explanation != NULL ? question->explanation : question->answers.texts[0];
    char *text;
    return asprintf(&text, "%s %s", question->question, answer) < 0 ? NULL : text;
}

static mneme_status load_skill(const struct question_sources *sources, struct text_list *train,
                               struct text_list *test, mneme_error *error) {
    if (sources->skill == NULL) return MNEME_OK;
    struct question_set set;
    TRY(questions_load(sources->skill, &set, error));
    mneme_status status = MNEME_OK;
    size_t n = set.n;
    if (sources->max_skill != 0 && sources->max_skill < n) n = sources->max_skill;
    if (sources->n_skill_test > n) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s: %zu texts of the skill are too few to hold out %zu", sources->skill,
                           n, sources->n_skill_test);
    }
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        struct text_list *list = i < n - sources->n_skill_test ? train : test;
        status = text_list_add(list, skill_text(&set.questions[i], set.is_text), error);
    }
    questions_free(&set);
    return status;
}

mneme_status corpus_from_questions(const struct question_sources *sources, struct corpus *corpus,
                                   mneme_error *error) {
    *corpus = (struct corpus){0};
    struct string_map seen = {0};
    struct text_list train = {0}, test = {0};
    mneme_status status = load_facts(sources->known, sources->max_known, &seen, &corpus->known,
                                     &corpus->n_known, error);
    THEN(load_facts(sources->fresh, sources->max_fresh, &seen, &corpus->fresh, &corpus->n_fresh,
                    error));
    THEN(load_skill(sources, &train, &test, error));
    corpus->skill_train = train.texts;
    corpus->n_skill_train = train.n;
    corpus->skill_test = test.texts;
    corpus->n_skill_test = test.n;
    string_map_free(&seen);
    if (status != MNEME_OK) corpus_free(corpus);
    return status;
}
