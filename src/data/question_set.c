#include "data/question_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/unicode.h"

/* A file that lists more answers to one question is not searched for repeated ones. */
#define MAX_COMPARED 256

static mneme_status append(struct question_set *set, struct question question, mneme_error *error) {
    TRY(memory_grow((void **)&set->questions, &set->capacity, set->n + 1, sizeof *set->questions,
                    "questions", error));
    set->questions[set->n++] = question;
    return MNEME_OK;
}

mneme_status question_add(struct question_set *set, const char *text, size_t length,
                          const char *place, mneme_error *error) {
    unicode_trim(&text, &length);
    if (length == 0) return error_set(error, MNEME_BAD_INPUT, "%s: an empty question", place);
    struct question question = {.question = strndup(text, length)};
    if (question.question == NULL) return error_set_memory(error, "questions");
    mneme_status status = append(set, question, error);
    if (status != MNEME_OK) free(question.question);
    return status;
}

mneme_status question_add_record(struct question_set *set, mneme_error *error) {
    return append(set, (struct question){0}, error);
}

mneme_status question_add_text(struct question_set *set, const char *text, const char *place,
                               mneme_error *error) {
    size_t length = strlen(text);
    if (set->n + set->n_unanswered > 0 && !set->is_text) {
        return error_set(error, MNEME_BAD_INPUT, "%s: a text among questions", place);
    }
    set->is_text = true;
    unicode_trim(&text, &length);
    return length == 0 ? MNEME_OK : question_add(set, text, length, place, error);
}

mneme_status question_add_answer(struct question_set *set, const char *text, size_t length,
                                 const char *place, mneme_error *error) {
    unicode_trim(&text, &length);
    if (length == 0) return error_set(error, MNEME_BAD_INPUT, "%s: an empty answer", place);
    struct text_list *answers = &set->questions[set->n - 1].answers;
    for (size_t i = 0; i < answers->n && i < MAX_COMPARED; i++) {
        if (strlen(answers->texts[i]) == length && memcmp(answers->texts[i], text, length) == 0) {
            return MNEME_OK;
        }
    }
    return text_list_add_copy(answers, text, length, error);
}

/* The character of a quoted text at *at, its backslash undone; false where the text ends or goes
 * beyond what JSON and Python have in common. */
static bool next_quoted(const char **at, char quote, char *character) {
    if (**at == quote || **at == '\0') return false;
    if (**at == '\\') {
        if (strchr("\"'\\/", (*at)[1]) == NULL || (*at)[1] == '\0') return false;
        ++*at;
    }
    *character = *(*at)++;
    return true;
}

/* Reads the quoted texts of a list, what follows its bracket, between commas or (as NumPy prints
 * them) blanks; false when it is not one. The texts that were read are the caller's in any case. */
static bool read_list(const char *at, struct text_list *texts, mneme_status *status,
                      mneme_error *error) {
    for (;;) {
        at += strspn(at, " ");
        const char quote = *at++;
        if (quote != '"' && quote != '\'') return false;
        char *text = malloc(strlen(at) + 1);
        size_t n = 0;
        while (text != NULL && next_quoted(&at, quote, &text[n])) n++;
        if (text != NULL) text[n] = '\0';
        *status = text_list_add(texts, text, error);
        if (*status != MNEME_OK || *at != quote) return false;
        at += 1 + strspn(at + 1, " ");
        if (*at == ']') break;
        at += *at == ',';
    }
    return strcmp(at, "]") == 0;
}

/* The texts of a list that is printed, or the text itself. */
static mneme_status read_listed(const char *text, struct text_list *texts, mneme_error *error) {
    mneme_status status = MNEME_OK;
    if (text[0] == '[' && read_list(text + 1, texts, &status, error)) return status;
    text_list_free(texts);
    TRY(status);
    return text_list_add_copy(texts, text, strlen(text), error);
}

mneme_status question_add_listed(struct question_set *set, const char *text, const char *place,
                                 mneme_error *error) {
    struct text_list texts = {0};
    if (strcmp(text, "[]") == 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: an empty list of answers", place);
    }
    mneme_status status = read_listed(text, &texts, error);
    for (size_t i = 0; status == MNEME_OK && i < texts.n; i++) {
        status = question_add_answer(set, texts.texts[i], strlen(texts.texts[i]), place, error);
    }
    text_list_free(&texts);
    return status;
}

mneme_status question_add_statement(struct question_set *set, const char *text,
                                    mneme_error *error) {
    size_t length = strlen(text);
    unicode_trim(&text, &length);
    if (length == 0) return MNEME_OK;
    return text_list_add_copy(&set->questions[set->n - 1].statements, text, length, error);
}

mneme_status question_add_listed_statements(struct question_set *set, const char *text,
                                            mneme_error *error) {
    struct text_list texts = {0};
    if (strcmp(text, "[]") == 0) return MNEME_OK;
    mneme_status status = read_listed(text, &texts, error);
    for (size_t i = 0; status == MNEME_OK && i < texts.n; i++) {
        status = question_add_statement(set, texts.texts[i], error);
    }
    text_list_free(&texts);
    return status;
}

void questions_free(struct question_set *set) {
    for (size_t i = 0; i < set->n; i++) {
        free(set->questions[i].question);
        free(set->questions[i].explanation);
        text_list_free(&set->questions[i].answers);
        text_list_free(&set->questions[i].statements);
    }
    free(set->questions);
    *set = (struct question_set){0};
}
