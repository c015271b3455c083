#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef error_set
#undef error_set_errno
#undef error_set_memory

mneme_status error_set(mneme_error *error, mneme_status status, const char *format, ...) {
    if (error == NULL) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    for (char *c = error->message; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
    }
    return status;
}

mneme_status error_set_errno(mneme_error *error, const char *path, const char *action) {
    int code = errno;
    return error_set(error, MNEME_FAILED, "%s: %s: %s", path, action, strerror(code));
}

mneme_status error_set_memory(mneme_error *error, const char *what) {
    return error_set(error, MNEME_FAILED, "out of memory for %s", what);
}

void error_join(mneme_error *all, const mneme_error *one, const char *place) {
    static const char more[] = "; …";
    const char *cause = one->message;
    size_t used = strlen(all->message), length = strlen(place);
    if (used == 0) {
        *all = *one;
        return;
    }
    if (strncmp(cause, place, length) == 0 && strncmp(cause + length, ": ", 2) == 0) {
        cause += length + 2;
    }
    if (used + strlen(cause) + sizeof more + 2 <= sizeof all->message) {
        snprintf(all->message + used, sizeof all->message - used, "; %s", cause);
    } else if (used + sizeof more <= sizeof all->message && strstr(all->message, more) == NULL) {
        memcpy(all->message + used, more, sizeof more);
    }
}
