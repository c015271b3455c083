#include "data/choices.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/memory.h"
#include "data/choice_record.h"
#include "text/json_documents.h"
#include "text/utf8.h"

/* jansson counts the bytes of a document as int. */
#define MAX_FILE_BYTES ((size_t)INT_MAX)

static void free_question(struct choice_question *question) {
    free(question->context);
    free(question->place);
    text_list_free(&question->endings);
}

void choices_free(struct choice_set *set) {
    for (size_t i = 0; i < set->n; i++) free_question(&set->questions[i]);
    free(set->questions);
    *set = (struct choice_set){0};
}

static mneme_status add_record(struct choice_set *set, const json_t *record, const char *place,
                               mneme_error *error) {
    struct choice_question question = {.place = strdup(place)};
    const char *cause = NULL;
    bool fine = question.place != NULL && choice_read_record(record, &question, &cause);
    mneme_status status = MNEME_OK;
    if (!fine) {
        status = cause != NULL ? error_set(error, MNEME_BAD_INPUT, "%s: %s", place, cause)
                               : error_set_memory(error, "multiple-choice questions");
    }
    THEN(memory_grow((void **)&set->questions, &set->capacity, set->n + 1, sizeof question,
                     "multiple-choice questions", error));
    if (status == MNEME_OK) {
        set->questions[set->n++] = question;
    } else {
        free_question(&question);
    }
    return status;
}

/* A record, or a list of them. */
static mneme_status add_document(struct choice_set *set, const char *path, const json_t *document,
                                 size_t line, mneme_error *error) {
    char place[512];
    if (!json_is_array(document)) {
        snprintf(place, sizeof place, "%.400s:%zu", path, line);
        return add_record(set, document, place, error);
    }
    for (size_t i = 0; i < json_array_size(document); i++) {
        snprintf(place, sizeof place, "%.400s: [%zu]", path, i);
        TRY(add_record(set, json_array_get(document, i), place, error));
    }
    return MNEME_OK;
}

/* A file under way. */
struct reading {
    const char *path;
    struct choice_set *set;
    mneme_error *error;
};

static mneme_status take_document(void *user, const json_t *document, size_t line) {
    const struct reading *reading = user;
    return add_document(reading->set, reading->path, document, line, reading->error);
}

static mneme_status check_text(const char *path, const char *text, size_t length,
                               mneme_error *error) {
    size_t valid = utf8_valid_length(text, length);
    size_t good = strnlen(text, valid);
    if (good == length) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s:%zu: %s", path, json_documents_line(text, good),
                     good < valid ? "a NUL byte" : "invalid UTF-8");
}

mneme_status choices_load(const char *path, struct choice_set *set, mneme_error *error) {
    char *bytes;
    size_t length;
    *set = (struct choice_set){0};
    TRY(file_read_text(path, MAX_FILE_BYTES, &bytes, &length, error));
    mneme_status status = check_text(path, bytes, length, error);
    struct reading reading = {path, set, error};
    THEN(json_documents_read(path, bytes, length, take_document, &reading, error));
    if (status == MNEME_OK && set->n == 0) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: holds no questions", path);
    }
    free(bytes);
    if (status != MNEME_OK) choices_free(set);
    return status;
}
