#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/c_locale.h"
#include "base/memory.h"

static int print(char *to, size_t size, const char *format, va_list arguments) {
    struct c_locale locale = c_locale_enter();
    int length = vsnprintf(to, size, format, arguments);
    c_locale_leave(locale);
    return length;
}

void text_add(struct text *text, const char *format, ...) {
    va_list arguments, again;
    if (text->failed) return;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = print(NULL, 0, format, arguments);
    va_end(arguments);
    void *bytes = text->bytes;
    size_t needed = text->length + (size_t)(length < 0 ? 0 : length) + 1;
    text->failed =
        length < 0 || memory_grow(&bytes, &text->capacity, needed, 1, "text", NULL) != MNEME_OK;
    text->bytes = bytes;
    if (!text->failed) {
        print(text->bytes + text->length, text->capacity - text->length, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

char *text_take(struct text *text) {
    char *bytes = text->bytes;
    if (text->failed || bytes == NULL) {
        free(bytes);
        bytes = NULL;
    }
    *text = (struct text){0};
    return bytes;
}
