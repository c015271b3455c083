#include "text/template.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *template_next(const char *from, size_t *length) {
    const char *start = strchr(from, '{');
    if (start == NULL) return NULL;
    *length = (size_t)(strchr(start, '}') - start) + 1;
    return start;
}

bool template_is_valid(const char *text) {
    const char *open = NULL;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '{') {
            if (open != NULL) return false;
            open = c;
        } else if (*c == '}') {
            if (open == NULL || c == open + 1) return false;
            open = NULL;
        }
    }
    return open == NULL;
}

static bool names_equal(const char *name, const char *place, size_t length) {
    return strlen(name) == length && memcmp(name, place, length) == 0;
}

size_t template_count(const char *text, const char *name) {
    size_t n = 0, length;
    for (const char *place = text; (place = template_next(place, &length)) != NULL;) {
        if (names_equal(name, place + 1, length - 2)) n++;
        place += length;
    }
    return n;
}

char *template_expand(const char *text, template_fill *fill, void *context) {
    size_t length, total = strlen(text) + 1, occurrence = 0;
    for (const char *place = text; (place = template_next(place, &length)) != NULL;) {
        total += strlen(fill(context, place + 1, length - 2, occurrence++));
        place += length;
    }
    char *expanded = malloc(total);
    if (expanded == NULL) return NULL;
    char *end = expanded;
    occurrence = 0;
    for (const char *place; (place = template_next(text, &length)) != NULL;) {
        end = mempcpy(end, text, (size_t)(place - text));
        const char *filled = fill(context, place + 1, length - 2, occurrence++);
        end = mempcpy(end, filled, strlen(filled));
        text = place + length;
    }
    memcpy(end, text, strlen(text) + 1);
    return expanded;
}

static const char *find_value(void *context, const char *name, size_t length, size_t occurrence) {
    (void)occurrence;
    const struct template_value *value = context;
    while (value->name != NULL && !names_equal(value->name, name, length)) value++;
    assert(value->name != NULL);
    return value->text;
}

char *template_expand_values(const char *text, const struct template_value *values) {
    return template_expand(text, find_value, (void *)(uintptr_t)values);
}
