#include "data/question_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim(const char **text, size_t *length) {
    while (*length > 0 && is_space(**text)) {
        ++*text;
        --*length;
    }
    while (*length > 0 && is_space((*text)[*length - 1])) --*length;
}

mneme_status question_add(struct question_set *set, const char *text, size_t length,
                          const char *place, mneme_error *error) {
    trim(&text, &length);
    if (length == 0) return error_set(error, MNEME_BAD_INPUT, "%s: an empty question", place);
    TRY(memory_grow((void **)&set->questions, &set->capacity, set->n + 1, sizeof *set->questions,
                    "questions", error));
    struct question question = {.question = strndup(text, length)};
    if (question.question == NULL) return error_set_memory(error, "questions");
    set->questions[set->n++] = question;
    return MNEME_OK;
}

mneme_status question_add_answer(struct question_set *set, const char *text, size_t length,
                                 const char *place, mneme_error *error) {
    trim(&text, &length);
    if (length == 0) return error_set(error, MNEME_BAD_INPUT, "%s: an empty answer", place);
    struct text_list *answers = &set->questions[set->n - 1].answers;
    for (size_t i = 0; i < answers->n; i++) {
        if (strlen(answers->texts[i]) == length && memcmp(answers->texts[i], text, length) == 0) {
            return MNEME_OK;
        }
    }
    return text_list_add_copy(answers, text, length, error);
}

void questions_free(struct question_set *set) {
    for (size_t i = 0; i < set->n; i++) {
        free(set->questions[i].question);
        free(set->questions[i].explanation);
        text_list_free(&set->questions[i].answers);
    }
    free(set->questions);
    *set = (struct question_set){0};
}
