#include "data/questions.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/questions_parts.h"
#include "text/unicode.h"
#include "text/utf8.h"

/* jansson counts the bytes of a document as int. */
#define MAX_FILE_BYTES ((size_t)INT_MAX)

static mneme_status check_text(const struct question_file *file) {
    size_t valid = utf8_valid_length(file->text, file->length);
    size_t good = strnlen(file->text, valid);
    if (good == file->length) return MNEME_OK;
    size_t line = 1;
    for (size_t i = 0; i < good; i++) line += file->text[i] == '\n';
    return question_refuse(file, line, good < valid ? "a NUL byte" : "invalid UTF-8");
}

static mneme_status read_lines(const struct question_file *file, struct question_set *set) {
    set->is_text = true;
    for (const char *line = file->text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        const char *text = line;
        size_t kept = length;
        unicode_trim(&text, &kept);
        if (kept > 0) TRY(question_add(set, text, kept, file->path, file->error));
        line += length + (line[length] == '\n');
    }
    return MNEME_OK;
}

static mneme_status read_any(const struct question_file *file, struct question_set *set) {
    TRY(check_text(file));
    if (questions_are_json(file)) {
        TRY(questions_read_json(file, set));
    } else {
        bool is_table = false;
        TRY(questions_read_table(file, set, &is_table));
        if (!is_table) TRY(read_lines(file, set));
    }
    if (set->n > 0) return MNEME_OK;
    return question_refuse(
        file, 1,
        set->n_unanswered > 0 ? "no question has an answer" : "the file holds no questions");
}

static mneme_status load(const char *path, struct question_set *set, mneme_error *error) {
    char *bytes;
    size_t length;
    TRY(file_read_text(path, MAX_FILE_BYTES, &bytes, &length, error));
    const struct question_file file = {path, bytes, length, error};
    mneme_status status = read_any(&file, set);
    free(bytes);
    if (status != MNEME_OK) questions_free(set);
    return status;
}

mneme_status questions_load(const char *path, struct question_set *set, mneme_error *error) {
    *set = (struct question_set){0};
    return load(path, set, error);
}

/* Makes a statement of each text. */
static mneme_status state_texts(struct question_set *set, mneme_error *error) {
    for (size_t i = 0; i < set->n; i++) {
        struct question *question = &set->questions[i];
        mneme_status status = text_list_add(&question->statements, question->question, error);
        question->question = NULL;
        TRY(status);
    }
    set->is_text = false;
    return MNEME_OK;
}

mneme_status questions_load_facts(const char *path, struct question_set *set, mneme_error *error) {
    *set = (struct question_set){.takes_statements = true};
    TRY(load(path, set, error));
    mneme_status status = set->is_text ? state_texts(set, error) : MNEME_OK;
    if (status != MNEME_OK) questions_free(set);
    return status;
}
