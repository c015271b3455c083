/* Questions and texts from JSON: which of its values are records. */

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json_read.h"
#include "data/question_record.h"
#include "data/questions_parts.h"
#include "text/json_documents.h"

#define BLANKS " \t\r\n"

/* Lists of records, or of what has such a list: TriviaQA's, SQuAD's and a few that others use. */
static const char *const list_names[] = {"data",      "paragraphs", "qas",
                                         "questions", "examples",   "records"};

#define N_LIST_NAMES (sizeof list_names / sizeof *list_names)

/* A document that is being read, and the place in it. */
struct walk {
    const struct question_file *file;
    struct question_set *set;
    char place[512]; /* "PATH:LINE", or "PATH: data[0].qas[1]" within a list */
    size_t length;   /* of `place` */
    bool is_inside;  /* the place has a path within the document */
};

static mneme_status read_object(struct walk *w, const json_t *object);

static void go_to(struct walk *w, size_t length, const char *key, size_t index) {
    char *end = w->place + length;
    int n = snprintf(end, sizeof w->place - length, "%s[%zu]", key, index);
    size_t room = sizeof w->place - length - 1;
    w->length = length + ((size_t)n < room ? (size_t)n : room);
}

/* Texts may stand in a list by themselves. */
static mneme_status read_element(struct walk *w, const json_t *element) {
    if (json_is_object(element)) return read_object(w, element);
    if (json_is_string(element)) {
        return question_add_text(w->set, json_string_value(element), w->place, w->file->error);
    }
    return error_set(w->file->error, MNEME_BAD_INPUT, "%s: neither a question nor a text",
                     w->place);
}

static mneme_status read_list(struct walk *w, const char *key, const json_t *list) {
    size_t before = w->length;
    for (size_t i = 0; i < json_array_size(list); i++) {
        go_to(w, before, key, i);
        TRY(read_element(w, json_array_get(list, i)));
    }
    w->length = before;
    w->place[before] = '\0';
    return MNEME_OK;
}

/* The object's own spelling of this name when a list is under it, else NULL. */
static const char *list_key(const json_t *object, const char *name) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (strcasecmp(key, name) == 0 && json_is_array(value)) return key;
    }
    return NULL;
}

/* The key under which an object that is no record has a list of them; NULL when it has none. */
static const char *find_list(const json_t *object) {
    const char *key = NULL;
    if (question_is_record(object)) return NULL;
    for (size_t i = 0; i < N_LIST_NAMES && key == NULL; i++) key = list_key(object, list_names[i]);
    return key;
}

static mneme_status read_object(struct walk *w, const json_t *object) {
    const char *key = find_list(object);
    if (key == NULL) return question_read_record(object, w->set, w->place, w->file->error);
    char dotted[32];
    snprintf(dotted, sizeof dotted, "%s%s", w->is_inside ? "." : ": ", key);
    w->is_inside = true;
    return read_list(w, dotted, json_object_get(object, key));
}

/* A record that is a document of its own is named by its line; what is in a list by its path. */
static mneme_status read_document(const struct question_file *file, const json_t *document,
                                  size_t line, struct question_set *set) {
    struct walk w = {.file = file, .set = set};
    const bool is_list = json_is_array(document);
    const bool needs_line = line > 1 || (!is_list && find_list(document) == NULL);
    w.length =
        (size_t)(needs_line ? snprintf(w.place, sizeof w.place, "%.300s:%zu", file->path, line)
                            : snprintf(w.place, sizeof w.place, "%.300s", file->path));
    if (!is_list) return read_object(&w, document);
    w.is_inside = true;
    return read_list(&w, ": ", document);
}

/* A file under way. */
struct reading {
    const struct question_file *file;
    struct question_set *set;
};

static mneme_status take_document(void *user, const json_t *document, size_t line) {
    const struct reading *reading = user;
    return read_document(reading->file, document, line, reading->set);
}

mneme_status questions_read_json(const struct question_file *file, struct question_set *set) {
    struct reading reading = {file, set};
    return json_documents_read(file->path, file->text, file->length, take_document, &reading,
                               file->error);
}

bool questions_are_json(const struct question_file *file) {
    const char *start = file->text + strspn(file->text, BLANKS);
    if (*start == '{') return true;
    if (*start != '[') return false;
    const char *inner = start + strspn(start, "[" BLANKS);
    if (*inner == '{' || *inner == '"') return true;
    /* "[1] See there." is a text. */
    json_t *document = json_parse(file->text, file->length, JSON_REJECT_DUPLICATES, NULL);
    json_decref(document);
    return document != NULL;
}
