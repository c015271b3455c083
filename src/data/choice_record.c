/* Records of multiple-choice questions, with the contexts and endings of lm-evaluation-harness. */

#include "data/choice_record.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/text.h"
#include "text/unicode.h"
#include "text/utf8.h"

/* A record that is being read. */
struct reading {
    const json_t *record;
    struct choice_question *question;
    const char *cause; /* what is wrong */
};

static bool refuse(struct reading *r, const char *cause) {
    r->cause = cause;
    return false;
}

static const char *string_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* Takes over the ending. */
static bool add_ending(struct reading *r, char *ending) {
    mneme_error error;
    if (ending != NULL && ending[0] == '\0') {
        free(ending);
        return refuse(r, "an ending is empty");
    }
    return text_list_add(&r->question->endings, ending, &error) == MNEME_OK;
}

/* Takes over the context. */
static bool set_context(struct reading *r, char *context) {
    r->question->context = context;
    r->question->lead = " ";
    return context != NULL;
}

/* A list of texts. */
static bool add_endings(struct reading *r, const json_t *list, char *prepare(const char *text)) {
    if (json_array_size(list) == 0) return refuse(r, "has no list of endings");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL) return refuse(r, "an ending is not a text");
        if (!add_ending(r, prepare(text))) return false;
    }
    return true;
}

static char *as_it_is(const char *text) {
    return strdup(text);
}

/* The place of the right ending: a number, in quotes or not, or a letter. */
static bool read_right(struct reading *r, const char *key) {
    const json_t *value = json_object_get(r->record, key);
    const char *text = json_string_value(value);
    size_t n = r->question->endings.n, right = n;
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        right = (size_t)json_integer_value(value);
    } else if (text != NULL && text[0] >= '0' && text[0] <= '9') {
        char *end;
        errno = 0;
        right = strtoul(text, &end, 10);
        if (*end != '\0' || errno != 0) right = n;
    } else if (text != NULL && text[0] >= 'A' && text[0] <= 'Z' && text[1] == '\0') {
        right = (size_t)(text[0] - 'A');
    }
    r->question->right = right;
    return right < n || refuse(r, "does not say which ending is right, by its place from 0");
}

/* ARC. */

static char *arc_context(const char *stem) {
    struct text text = {0};
    text_add(&text, "Question: %s\nAnswer:", stem);
    return text_take(&text);
}

/* An ending of ARC's: its text and its label, in two lists or in one of objects. */
static bool read_arc_ending(const json_t *choices, size_t i, const char **text,
                            const char **label) {
    if (json_is_array(choices)) {
        const json_t *choice = json_array_get(choices, i);
        *text = string_of(choice, "text");
        *label = string_of(choice, "label");
    } else {
        *text = json_string_value(json_array_get(json_object_get(choices, "text"), i));
        *label = json_string_value(json_array_get(json_object_get(choices, "label"), i));
    }
    return *text != NULL && *label != NULL;
}

static size_t count_arc_endings(const json_t *choices) {
    return json_array_size(json_is_array(choices) ? choices : json_object_get(choices, "text"));
}

static bool read_arc(struct reading *r, const char *stem, const json_t *choices) {
    const char *key = string_of(r->record, "answerKey"), *text, *label;
    struct choice_question *question = r->question;
    if (stem == NULL) return refuse(r, "has no question");
    if (key == NULL) return refuse(r, "has no \"answerKey\"");
    if (!set_context(r, arc_context(stem))) return false;
    size_t n = count_arc_endings(choices);
    question->right = n;
    for (size_t i = 0; i < n; i++) {
        if (!read_arc_ending(choices, i, &text, &label)) {
            return refuse(r, "a choice has no \"text\" or no \"label\"");
        }
        if (!add_ending(r, strdup(text))) return false;
        if (question->right == n && strcmp(label, key) == 0) question->right = i;
    }
    if (n == 0) return refuse(r, "has no choices");
    return question->right < n || refuse(r, "its answerKey is none of the labels");
}

/* HellaSwag, as lm-evaluation-harness prepares it (tasks/hellaswag/utils.py). */

/* Replaces in place, from the left, what is not longer by it. */
static void replace(char *text, const char *old, const char *new) {
    size_t n_old = strlen(old), n_new = strlen(new);
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        if (strncmp(from, old, n_old) == 0) {
            to = mempcpy(to, new, n_new);
            from += n_old;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* Leaves out what stands in square brackets on one line. */
static void remove_bracketed(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        const char *end = *from == '[' ? from + strcspn(from, "]\n") : NULL;
        if (end != NULL && *end == ']') {
            from = end + 1;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static char *prepare_wikihow(const char *text) {
    size_t length = strlen(text);
    unicode_trim(&text, &length);
    char *prepared = strndup(text, length);
    if (prepared == NULL) return NULL;
    replace(prepared, " [title]", ". ");
    remove_bracketed(prepared);
    replace(prepared, "  ", " ");
    return prepared;
}

/* Appends str.capitalize() of Python: the first character in title case, the others lowercase. */
static void add_capitalized(struct text *text, const char *string) {
    uint32_t first;
    size_t length = strlen(string), n,
           at = length == 0 ? 0 : utf8_decode_any(string, length, &first);
    if (at == 0) return;
    uint32_t *rest = unicode_lower(string + at, length - at, &n);
    char *encoded = rest == NULL ? NULL : unicode_encode(rest, n);
    char title[5] = {0};
    utf8_encode((uint32_t)utf8proc_totitle((utf8proc_int32_t)first), title);
    text->failed |= encoded == NULL;
    text_add(text, "%s%s", title, encoded == NULL ? "" : encoded);
    free(rest);
    free(encoded);
}

static bool read_hellaswag(struct reading *r) {
    const char *activity = string_of(r->record, "activity_label");
    const char *a = string_of(r->record, "ctx_a"), *b = string_of(r->record, "ctx_b");
    const char *both = string_of(r->record, "ctx");
    struct text text = {0};
    if (activity == NULL) return refuse(r, "its activity_label is no text");
    if (a != NULL && b != NULL) {
        text_add(&text, "%s: %s ", activity, a);
        add_capitalized(&text, b);
    } else if (both != NULL) {
        text_add(&text, "%s: %s", activity, both);
    } else {
        return refuse(r, "has neither \"ctx_a\" and \"ctx_b\" nor \"ctx\"");
    }
    char *query = text_take(&text);
    if (query == NULL) return false;
    bool fine = set_context(r, prepare_wikihow(query));
    free(query);
    return fine && add_endings(r, json_object_get(r->record, "endings"), prepare_wikihow) &&
           read_right(r, "label");
}

static bool read_plain(struct reading *r) {
    const char *context = string_of(r->record, "context");
    const char *question = string_of(r->record, "question");
    const json_t *endings = json_object_get(r->record, "endings");
    if (endings == NULL) endings = json_object_get(r->record, "choices");
    if (context == NULL) context = string_of(r->record, "ctx");
    if (context == NULL && question == NULL) return refuse(r, "has no \"context\" or \"question\"");
    if (!set_context(r, context != NULL ? strdup(context) : arc_context(question))) return false;
    size_t n = strlen(r->question->context);
    if (n == 0 || isspace((unsigned char)r->question->context[n - 1])) r->question->lead = "";
    return add_endings(r, endings, as_it_is) &&
           read_right(r, json_object_get(r->record, "label") != NULL ? "label" : "answer");
}

static bool read_any(struct reading *r) {
    const json_t *question = json_object_get(r->record, "question");
    const json_t *choices = json_object_get(r->record, "choices");
    if (!json_is_object(r->record)) return refuse(r, "is not an object");
    if (json_is_object(question)) {
        return read_arc(r, string_of(question, "stem"), json_object_get(question, "choices"));
    }
    if (json_is_object(choices)) return read_arc(r, json_string_value(question), choices);
    if (json_object_get(r->record, "activity_label") != NULL) return read_hellaswag(r);
    return read_plain(r);
}

bool choice_read_record(const json_t *record, struct choice_question *question,
                        const char **cause) {
    struct reading r = {.record = record, .question = question};
    bool fine = read_any(&r);
    *cause = r.cause;
    return fine;
}
