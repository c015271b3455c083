#include "data/questions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/questions_parts.h"
#include "data/utf8.h"

#define MAX_FILE_BYTES ((size_t)4 << 30)

mneme_status question_refuse(const struct question_file *file, size_t line, const char *cause) {
    return error_set(file->error, MNEME_BAD_INPUT, "%s:%zu: %s", file->path, line, cause);
}

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
    mneme_status status = memory_grow((void **)&set->questions, &set->capacity, set->n + 1,
                                      sizeof *set->questions, "questions", error);
    if (status != MNEME_OK) return status;
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

static mneme_status check_text(const struct question_file *file) {
    size_t valid = utf8_valid_length(file->text, file->length);
    size_t good = strnlen(file->text, valid);
    if (good == file->length) return MNEME_OK;
    size_t line = 1;
    for (size_t i = 0; i < good; i++) line += file->text[i] == '\n';
    return question_refuse(file, line, good < valid ? "a NUL byte" : "invalid UTF-8");
}

static mneme_status read_text(const struct question_file *file, struct question_set *set) {
    set->is_text = true;
    for (const char *line = file->text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        const char *text = line;
        size_t text_length = length;
        trim(&text, &text_length);
        if (text_length > 0) {
            mneme_status status = question_add(set, text, text_length, file->path, file->error);
            if (status != MNEME_OK) return status;
        }
        line += length + (line[length] == '\n');
    }
    return MNEME_OK;
}

/* JSON that goes on after its first line, and not with an object on each, is one document. */
static bool is_one_document(const struct question_file *file) {
    const char *start = file->text + strspn(file->text, " \t\r\n");
    const char *next = start + 1 + strspn(start + 1, " \t\r\n");
    return strncmp(next, "\"Data\"", 6) == 0 || memchr(start, '\n', (size_t)(next - start)) != NULL;
}

static mneme_status read_any(const struct question_file *file, struct question_set *set) {
    mneme_status status = check_text(file);
    if (status != MNEME_OK) return status;
    if (file->text[strspn(file->text, " \t\r\n")] == '{') {
        status = is_one_document(file) ? questions_read_triviaqa(file, set)
                                       : questions_read_lines(file, set);
    } else {
        bool is_csv;
        status = questions_read_csv(file, set, &is_csv);
        if (status == MNEME_OK && !is_csv) status = read_text(file, set);
    }
    if (status == MNEME_OK && set->n == 0) {
        status = question_refuse(file, 1, "the file holds no questions");
    }
    return status;
}

mneme_status questions_load(const char *path, struct question_set *set, mneme_error *error) {
    *set = (struct question_set){0};
    char *bytes;
    size_t length;
    mneme_status status = file_read(path, MAX_FILE_BYTES, &bytes, &length, error);
    if (status != MNEME_OK) return status;
    size_t mark = strncmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    const struct question_file file = {path, bytes + mark, length - mark, error};
    status = read_any(&file, set);
    free(bytes);
    if (status != MNEME_OK) questions_free(set);
    return status;
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
