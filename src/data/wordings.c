#include "data/wordings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "text/form.h"
#include "text/string_map.h"
#include "text/unicode.h"
#include "text/utf8.h"

#define BUILT_IN "data/wordings/questions.txt"

/* The file as it was when this was built. */
static const char built_in[] =
#include "built_in_wordings.inc"
    ;

/* A file of wordings that is being read. */
struct reading {
    const char *path;
    size_t line;
    mneme_error *error;
};

static mneme_status refuse(const struct reading *r, const char *cause) {
    return error_set(r->error, MNEME_BAD_INPUT, "%s:%zu: %s", r->path, r->line, cause);
}

/* NULL, or what is wrong with a form as a wording. */
static const char *check(const char *form) {
    if (form_count(form, FORM_QUESTION) == 0) return "a wording without {question}";
    if (form_count(form, FORM_ANSWER) == 0) return "a wording without {answer}";
    if (form_count(form, FORM_SHOTS) > 0) return "{shots} is for prompts, not for wordings";
    if (form_is_chat(form) && !form_is_turn(form[0])) {
        return "a wording with a text before its first turn";
    }
    return NULL;
}

static mneme_status add_line(const struct reading *r, const char *line, size_t length,
                             struct text_list *forms) {
    const char *cause;
    char *form = form_read(line, length, &cause);
    if (form == NULL && cause == NULL) return error_set_memory(r->error, "wordings");
    if (form == NULL) {
        return error_set(r->error, MNEME_BAD_INPUT, "%s:%zu: a wording that %s", r->path, r->line,
                         cause);
    }
    cause = check(form);
    if (cause == NULL) return text_list_add(forms, form, r->error);
    free(form);
    return refuse(r, cause);
}

/* Each line without the white space at its ends. */
static mneme_status read_lines(struct reading *r, const char *text, struct text_list *forms) {
    for (r->line = 1; *text != '\0'; r->line++) {
        size_t whole = strcspn(text, "\n"), length = whole;
        const char *line = text;
        unicode_trim(&line, &length);
        if (length > 0 && line[0] != '#') TRY(add_line(r, line, length, forms));
        text += whole + (text[whole] == '\n');
    }
    r->line = 1;
    return forms->n > 0 ? MNEME_OK : refuse(r, "the file holds no wordings");
}

/* The line of text[0..at). */
static size_t line_of(const char *text, size_t at) {
    size_t line = 1;
    for (size_t i = 0; i < at; i++) line += text[i] == '\n';
    return line;
}

static mneme_status read_text(struct reading *r, const char *text, size_t length,
                              struct text_list *forms) {
    size_t valid = utf8_valid_length(text, length), good = strnlen(text, valid);
    r->line = line_of(text, good);
    if (good < length) return refuse(r, good < valid ? "a NUL byte" : "invalid UTF-8");
    return read_lines(r, text, forms);
}

mneme_status wordings_load(const char *path, struct wordings *wordings, mneme_error *error) {
    struct reading r = {path == NULL ? BUILT_IN : path, 1, error};
    char *bytes = NULL;
    size_t length = sizeof built_in - 1;
    *wordings = (struct wordings){0};
    if (path != NULL) TRY(file_read_text(path, INT_MAX, &bytes, &length, error));
    mneme_status status = read_text(&r, path == NULL ? built_in : bytes, length, &wordings->forms);
    free(bytes);
    if (status != MNEME_OK) wordings_free(wordings);
    return status;
}

void wordings_free(struct wordings *wordings) {
    text_list_free(&wordings->forms);
}

/* Appends a text, which it takes, unless it was seen. */
static mneme_status add_new(struct string_map *seen, char *text, struct text_list *texts,
                            mneme_error *error) {
    uint32_t number;
    bool is_new = false;
    if (text == NULL) return error_set_memory(error, "wordings");
    mneme_status status = string_map_add(seen, text, strlen(text), &number, &is_new, error);
    if (status == MNEME_OK && is_new) return text_list_add(texts, text, error);
    free(text);
    return status;
}

/* The question with its answer in one form; NULL without memory. */
static char *word(const char *form, const char *question, const char *answer) {
    char *asked = question_in_form(form, question);
    const struct form_values values = {.question = asked, .answer = answer};
    char *text = asked == NULL ? NULL : form_fill(form, &values);
    free(asked);
    return text;
}

/* Appends the question in each form that has turns, or in each that has none. */
static mneme_status add_forms(const struct wordings *wordings, const struct question *record,
                              const char *question, bool chat, struct string_map *seen,
                              struct text_list *texts, mneme_error *error) {
    if (question == NULL || record->answers.n == 0) return MNEME_OK;
    for (size_t i = 0; i < wordings->forms.n; i++) {
        const char *form = wordings->forms.texts[i];
        if (form_is_chat(form) != chat) continue;
        TRY(add_new(seen, word(form, question, record->answers.texts[0]), texts, error));
    }
    return MNEME_OK;
}

mneme_status wordings_of(const struct wordings *wordings, const struct question *record,
                         const char *question, bool chat, struct text_list *texts,
                         mneme_error *error) {
    struct string_map seen = {0};
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < record->statements.n && status == MNEME_OK; i++) {
        status = add_new(&seen, strdup(record->statements.texts[i]), texts, error);
    }
    THEN(add_forms(wordings, record, question, false, &seen, texts, error));
    if (chat) THEN(add_forms(wordings, record, question, true, &seen, texts, error));
    string_map_free(&seen);
    return status;
}

char *question_marked(const char *question) {
    size_t length = strlen(question), before;
    do {
        before = length;
        while (length > 0 && question[length - 1] == '?') length--;
        unicode_trim(&question, &length);
    } while (length != before);
    char *marked = malloc(length + 2);
    if (marked == NULL) return NULL;
    memcpy(marked, question, length);
    memcpy(marked + length, "?", 2);
    return marked;
}

char *question_in_form(const char *form, const char *marked) {
    const char *place = strchr(form, FORM_QUESTION);
    bool has_mark = place != NULL && place[1] == '?';
    size_t length = strlen(marked);
    return strndup(marked, length - (has_mark && length > 0 && marked[length - 1] == '?'));
}
