#include "data/question_record.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/c_locale.h"
#include "base/text.h"
#include "data/question_names.h"

/* Stands before the answer proper in GSM8K. */
#define FINAL_ANSWER_MARK "####"

/* A question that is being read. */
struct reading {
    struct question_set *set;
    const char *place;
    mneme_error *error;
};

static mneme_status refuse(const struct reading *r, const char *cause) {
    return error_set(r->error, MNEME_BAD_INPUT, "%s: %s", r->place, cause);
}

static const json_t *find(const json_t *object, const char *name) {
    const json_t *exact = json_object_get(object, name);
    if (exact != NULL) return exact;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (strcasecmp(key, name) == 0) return value;
    }
    return NULL;
}

const json_t *question_member(const json_t *object, const char *const *names) {
    for (; *names != NULL; names++) {
        const json_t *value = find(object, *names);
        if (value != NULL && !json_is_null(value)) return value;
    }
    return NULL;
}

bool question_is_record(const json_t *object) {
    return question_member(object, question_names) != NULL || find(object, "text") != NULL ||
           question_member(object, statement_names) != NULL;
}

/* The double as Python prints it: its shortest decimal that reads back as the same. */
static void print_double(double number, struct text *text) {
    char digits[32];
    int n = 0;
    struct c_locale entered = c_locale_enter();
    do {
        snprintf(digits, sizeof digits, "%.*e", n, number);
    } while (++n < 17 && strtod(digits, NULL) != number);
    c_locale_leave(entered);
    int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        text_add(text, "%s", digits);
    } else {
        text_add(text, "%.*f", n - 1 > exponent ? n - 1 - exponent : 1, number);
    }
}

/* The caller frees it; NULL without memory. */
static char *number_text(const json_t *value) {
    struct text text = {0};
    if (json_is_integer(value)) {
        text_add(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        print_double(json_real_value(value), &text);
    }
    return text_take(&text);
}

static mneme_status add_text(const struct reading *r, const char *text) {
    if (text == NULL) return error_set_memory(r->error, "questions");
    return question_add_listed(r->set, text, r->place, r->error);
}

/* A text, a number or a truth value. */
static mneme_status add_one(const struct reading *r, const json_t *value) {
    if (json_is_boolean(value)) return add_text(r, json_is_true(value) ? "true" : "false");
    if (json_is_string(value)) return add_text(r, json_string_value(value));
    if (!json_is_number(value)) {
        return refuse(r, "the answer is neither a text or number nor a list of them");
    }
    char *number = number_text(value);
    mneme_status status = add_text(r, number);
    free(number);
    return status;
}

/* One answer, a list, or an object that holds one of them and perhaps aliases. */
static mneme_status add_answers(const struct reading *r, const json_t *value) {
    static const char *const value_names[] = {"value", "text", NULL};
    if (json_is_object(value)) {
        const json_t *inner = question_member(value, value_names);
        const json_t *aliases = question_member(value, alias_names);
        if (inner == NULL || json_is_object(inner)) {
            return refuse(r, "the answer has no \"value\" or \"text\"");
        }
        TRY(add_answers(r, inner));
        return aliases == NULL || json_array_size(aliases) == 0 ? MNEME_OK
                                                                : add_answers(r, aliases);
    }
    if (!json_is_array(value)) return add_one(r, value);
    if (json_array_size(value) == 0) return refuse(r, "an empty list of answers");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *answer = json_array_get(value, i);
        if (json_is_object(answer)) {
            TRY(add_answers(r, answer));
        } else {
            TRY(add_one(r, answer));
        }
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

/* An answer with its explanation, which ends with the mark and the answer. */
static mneme_status add_explained(const struct reading *r, const char *text, const char *mark) {
    struct question *added = &r->set->questions[r->set->n - 1];
    added->explanation = strdup(text);
    if (added->explanation == NULL) return error_set_memory(r->error, "questions");
    const char *final = mark + strlen(FINAL_ANSWER_MARK);
    return question_add_answer(r->set, final, strlen(final), r->place, r->error);
}

/* None, a text, or a list of them. */
static mneme_status add_statements(const struct reading *r, const json_t *value) {
    if (value == NULL) return MNEME_OK;
    if (json_is_string(value)) {
        return question_add_listed_statements(r->set, json_string_value(value), r->error);
    }
    if (!json_is_array(value)) return refuse(r, "\"statements\" is neither a text nor a list");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *statement = json_array_get(value, i);
        if (!json_is_string(statement)) return refuse(r, "a statement is no text");
        TRY(question_add_statement(r->set, json_string_value(statement), r->error));
    }
    return MNEME_OK;
}

/* SQuAD 2.0 marks questions that its text does not answer; so does an empty list of texts. */
static bool is_unanswered(const json_t *record, const json_t *answer) {
    const json_t *texts = json_is_object(answer) ? find(answer, "text") : NULL;
    return json_is_true(find(record, "is_impossible")) ||
           (json_is_array(texts) && json_array_size(texts) == 0);
}

static mneme_status add_question(const struct reading *r, const json_t *record) {
    const json_t *question = question_member(record, question_names);
    const json_t *answer = question_member(record, answer_names);
    const json_t *aliases = question_member(record, alias_names);
    if (json_is_object(question) || question_member(record, choice_names) != NULL) {
        return refuse(r, "a multiple-choice question; only those with written answers are read");
    }
    if (!json_is_string(question)) return refuse(r, "\"question\" is no text");
    if (is_unanswered(record, answer)) {
        r->set->n_unanswered++;
        return MNEME_OK;
    }
    if (answer == NULL) return refuse(r, "no \"answer\", or null");
    TRY(question_add(r->set, json_string_value(question), json_string_length(question), r->place,
                     r->error));
    const char *mark = find_mark(json_string_value(answer));
    if (mark != NULL) {
        TRY(add_explained(r, json_string_value(answer), mark));
    } else {
        TRY(add_answers(r, answer));
        if (aliases != NULL && json_array_size(aliases) > 0) TRY(add_answers(r, aliases));
    }
    return add_statements(r, question_member(record, statement_names));
}

/* A record that says something and asks nothing. */
static mneme_status add_statements_alone(const struct reading *r, const json_t *statements) {
    if (!r->set->takes_statements) return refuse(r, "statements without a question");
    if (r->set->is_text) return refuse(r, "statements among texts");
    TRY(question_add_record(r->set, r->error));
    TRY(add_statements(r, statements));
    bool is_empty = r->set->questions[r->set->n - 1].statements.n == 0;
    return is_empty ? refuse(r, "an empty statement") : MNEME_OK;
}

mneme_status question_read_record(const json_t *record, struct question_set *set, const char *place,
                                  mneme_error *error) {
    const struct reading r = {set, place, error};
    if (question_member(record, question_names) != NULL) {
        if (set->is_text) return refuse(&r, "a question among texts");
        return add_question(&r, record);
    }
    const json_t *text = find(record, "text");
    const json_t *statements = question_member(record, statement_names);
    if (text == NULL && statements != NULL) return add_statements_alone(&r, statements);
    if (!json_is_string(text)) {
        return refuse(&r, "neither \"question\" nor \"text\", nor a list of such under \"data\"");
    }
    return question_add_text(set, json_string_value(text), place, error);
}
