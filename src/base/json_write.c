#include "base/json_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_locale.h"
#include "base/file.h"
#include "base/json_read.h"

char *json_print(const json_t *value, size_t flags) {
    struct c_locale entered = c_locale_enter();
    char *text = json_dumps(value, flags);
    c_locale_leave(entered);
    return text;
}

json_t *json_float(float value) {
    double decimal = (double)value;
    struct c_locale entered = c_locale_enter();
    for (int digits = 1; digits <= 9; digits++) {
        char text[48];
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        decimal = strtod(text, NULL);
        if ((float)decimal == value) break;
    }
    c_locale_leave(entered);
    return json_real(decimal);
}

static bool reads_back(const char *text, const json_t *value) {
    json_t *read = json_parse(text, strlen(text), JSON_DECODE_ANY, NULL);
    bool same = json_equal(read, value);
    json_decref(read);
    return same;
}

/* As people would write the numbers where that loses nothing. */
static char *to_text(const json_t *value) {
    size_t flags = JSON_INDENT(2) | JSON_PRESERVE_ORDER;
    char *text = json_print(value, flags | JSON_REAL_PRECISION(15));
    if (text == NULL || reads_back(text, value)) return text;
    free(text);
    return json_print(value, flags | JSON_REAL_PRECISION(17));
}

mneme_status json_write_file(const char *path, const json_t *value, mneme_error *error) {
    char *text = to_text(value);
    if (text == NULL) return error_set_memory(error, path);
    /* The text ends in a NUL, whose place the newline takes. */
    size_t length = strlen(text);
    text[length] = '\n';
    mneme_status status = file_write_atomic(path, text, length + 1, error);
    free(text);
    return status;
}
