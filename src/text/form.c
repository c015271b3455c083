#include "text/form.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const struct {
    const char *name;
    enum form_place place;
} places[] = {{"question", FORM_QUESTION}, {"answer", FORM_ANSWER}, {"shots", FORM_SHOTS},
              {"system", FORM_SYSTEM},     {"user", FORM_USER},     {"assistant", FORM_ASSISTANT}};

#define N_PLACES (sizeof places / sizeof *places)

/* Reads what follows a backslash; false for what means nothing. */
static bool read_escape(char escaped, char *character) {
    static const char from[] = "nt\\{}#", to[] = "\n\t\\{}#";
    const char *found = escaped == '\0' ? NULL : strchr(from, escaped);
    if (found == NULL) return false;
    *character = to[found - from];
    return true;
}

/* The place that text, after its brace, begins with; *length is its name's. 0: none. */
static unsigned char read_place(const char *text, size_t room, size_t *length) {
    for (size_t i = 0; i < N_PLACES; i++) {
        *length = strlen(places[i].name);
        if (*length < room && memcmp(text, places[i].name, *length) == 0 && text[*length] == '}') {
            return (unsigned char)places[i].place;
        }
    }
    return 0;
}

/* Reads one character, escape or place; NULL, or what is wrong. */
static const char *read_one(const char *text, size_t length, size_t *at, char *byte) {
    *byte = text[*at];
    if (*byte == '\\') {
        if (*at + 1 == length || !read_escape(text[*at + 1], byte)) {
            return "has a \\ before what is none of n, t, \\, {, } and #";
        }
        *at += 2;
        return NULL;
    }
    if (*byte == '}') return "has a } without a {; a brace of its own is \\}";
    *at += 1;
    if (*byte != '{') return NULL;
    size_t name;
    *byte = (char)read_place(text + *at, length - *at, &name);
    if (*byte == 0) {
        return "has a { that begins no place such as {question}; a brace of its own is \\{";
    }
    *at += name + 1;
    return NULL;
}

char *form_read(const char *text, size_t length, const char **cause) {
    char *form = malloc(length + 1);
    size_t n = 0;
    *cause = NULL;
    for (size_t at = 0; form != NULL && at < length;) {
        *cause = read_one(text, length, &at, &form[n++]);
        if (*cause == NULL) continue;
        free(form);
        form = NULL;
    }
    if (form != NULL) form[n] = '\0';
    return form;
}

size_t form_count(const char *form, enum form_place place) {
    size_t n = 0;
    for (; *form != '\0'; form++) n += (unsigned char)*form == place;
    return n;
}

bool form_is_turn(char byte) {
    return (unsigned char)byte >= FORM_SYSTEM && (unsigned char)byte <= FORM_ASSISTANT;
}

bool form_is_chat(const char *form) {
    while (*form != '\0' && !form_is_turn(*form)) form++;
    return *form != '\0';
}

/* What a byte of a form becomes; NULL: itself. */
static const char *value_of(char byte, const struct form_values *values) {
    const char *value = NULL;
    switch ((unsigned char)byte) {
        case FORM_QUESTION:
            value = values->question;
            break;
        case FORM_ANSWER:
            value = values->answer;
            break;
        case FORM_SHOTS:
            value = values->shots;
            break;
        default:
            return NULL;
    }
    return value == NULL ? "" : value;
}

char *form_fill(const char *form, const struct form_values *values) {
    size_t length = 0;
    for (const char *c = form; *c != '\0'; c++) {
        const char *value = value_of(*c, values);
        length += value == NULL ? 1 : strlen(value);
    }
    char *filled = malloc(length + 1), *end = filled;
    if (filled == NULL) return NULL;
    for (const char *c = form; *c != '\0'; c++) {
        const char *value = value_of(*c, values);
        if (value == NULL) {
            *end++ = *c;
        } else {
            end = mempcpy(end, value, strlen(value));
        }
    }
    *end = '\0';
    return filled;
}

/* The name of a turn. */
static const char *turn_name(char byte) {
    size_t i = 0;
    while (i + 1 < N_PLACES && places[i].place != (unsigned char)byte) i++;
    return places[i].name;
}

char *form_show(const char *text) {
    struct text shown = {0};
    text_add(&shown, "%s", "");
    for (const char *c = text; *c != '\0';) {
        size_t length = 0;
        if (form_is_turn(*c)) {
            text_add(&shown, "%s%s: ", c == text ? "" : "\n", turn_name(*c));
            c++;
        }
        while (c[length] != '\0' && !form_is_turn(c[length])) length++;
        text_add(&shown, "%.*s", (int)length, c);
        c += length;
    }
    return text_take(&shown);
}
