/* Questions from JSON lines (NQ-open, GSM8K) and from TriviaQA's JSON. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "data/questions_parts.h"

/* Stands before the answer proper in GSM8K. */
#define FINAL_ANSWER_MARK "####"

/* A value that is an answer or a list of answers. */
static mneme_status add_answers(const json_t *value, struct question_set *set, const char *place,
                                mneme_error *error) {
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    if (n == 0) return error_set(error, MNEME_BAD_INPUT, "%s: an empty list of answers", place);
    for (size_t i = 0; i < n; i++) {
        const json_t *answer = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_string(answer)) {
            return error_set(error, MNEME_BAD_INPUT,
                             "%s: the answer is neither a string nor a list of strings", place);
        }
        TRY(question_add_answer(set, json_string_value(answer), json_string_length(answer), place,
                                error));
    }
    return MNEME_OK;
}

/* The last mark in an answer text, or NULL. */
static const char *find_mark(const char *text) {
    const char *mark = NULL;
    for (const char *c = text; c != NULL && (c = strstr(c, FINAL_ANSWER_MARK)) != NULL; c++) {
        mark = c;
    }
    return mark;
}

static mneme_status add_record(const json_t *record, struct question_set *set, const char *place,
                               mneme_error *error) {
    const json_t *question = json_object_get(record, "question");
    const json_t *answer = json_object_get(record, "answer");
    if (!json_is_string(question)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: no \"question\" that is a string", place);
    }
    if (answer == NULL) return error_set(error, MNEME_BAD_INPUT, "%s: no \"answer\"", place);
    TRY(question_add(set, json_string_value(question), json_string_length(question), place, error));
    const char *mark = find_mark(json_string_value(answer));
    if (mark == NULL) return add_answers(answer, set, place, error);
    struct question *added = &set->questions[set->n - 1];
    added->explanation = strdup(json_string_value(answer));
    if (added->explanation == NULL) return error_set_memory(error, "questions");
    const char *final = mark + strlen(FINAL_ANSWER_MARK);
    return question_add_answer(set, final, strlen(final), place, error);
}

static mneme_status read_line(const struct question_file *file, const char *line, size_t length,
                              size_t number, struct question_set *set) {
    json_error_t cause;
    json_t *record = json_parse(line, length, JSON_REJECT_DUPLICATES, &cause);
    if (record == NULL) return question_refuse(file, number, cause.text);
    char place[512];
    snprintf(place, sizeof place, "%.480s:%zu", file->path, number);
    mneme_status status = add_record(record, set, place, file->error);
    json_decref(record);
    return status;
}

mneme_status questions_read_lines(const struct question_file *file, struct question_set *set) {
    size_t number = 1;
    for (const char *line = file->text; *line != '\0'; number++) {
        size_t length = strcspn(line, "\n");
        if (strspn(line, " \t\r") < length) {
            TRY(read_line(file, line, length, number, set));
        }
        line += length + (line[length] == '\n');
    }
    return MNEME_OK;
}

static mneme_status add_triviaqa(const json_t *entry, size_t index,
                                 const struct question_file *file, struct question_set *set) {
    const json_t *question = json_object_get(entry, "Question");
    const json_t *answer = json_object_get(entry, "Answer");
    const json_t *value = json_object_get(answer, "Value");
    const json_t *aliases = json_object_get(answer, "Aliases");
    char place[512];
    snprintf(place, sizeof place, "%.440s: Data[%zu].Question", file->path, index);
    if (!json_is_string(question)) {
        return error_set(file->error, MNEME_BAD_INPUT, "%s: not a string", place);
    }
    TRY(question_add(set, json_string_value(question), json_string_length(question), place,
                     file->error));
    snprintf(place, sizeof place, "%.440s: Data[%zu].Answer.Value", file->path, index);
    if (!json_is_string(value)) {
        return error_set(file->error, MNEME_BAD_INPUT, "%s: not a string", place);
    }
    mneme_status status = add_answers(value, set, place, file->error);
    if (status != MNEME_OK || aliases == NULL || json_array_size(aliases) == 0) return status;
    snprintf(place, sizeof place, "%.440s: Data[%zu].Answer.Aliases", file->path, index);
    return add_answers(aliases, set, place, file->error);
}

mneme_status questions_read_triviaqa(const struct question_file *file, struct question_set *set) {
    json_error_t cause;
    json_t *root = json_parse(file->text, file->length, JSON_REJECT_DUPLICATES, &cause);
    if (root == NULL) {
        return question_refuse(file, cause.line < 1 ? 1 : (size_t)cause.line, cause.text);
    }
    const json_t *data = json_object_get(root, "Data");
    mneme_status status = MNEME_OK;
    if (!json_is_array(data)) {
        status = question_refuse(file, 1,
                                 "neither one JSON object per line nor TriviaQA's \"Data\" list");
    }
    for (size_t i = 0; i < json_array_size(data) && status == MNEME_OK; i++) {
        status = add_triviaqa(json_array_get(data, i), i, file, set);
    }
    json_decref(root);
    return status;
}
