#include "text/json_documents.h"

#include <string.h>

#include "base/json_read.h"

static size_t count_lines(const char *text, size_t length) {
    size_t n = 0;
    for (const char *c = text; (c = memchr(c, '\n', length - (size_t)(c - text))) != NULL; c++) n++;
    return n;
}

size_t json_documents_line(const char *text, size_t at) {
    return count_lines(text, at) + 1;
}

mneme_status json_documents_read(const char *path, const char *text, size_t length,
                                 json_document_taker take, void *user, mneme_error *error) {
    const char *at = text, *end = text + length;
    for (size_t line = 1;;) {
        size_t blanks = strspn(at, " \t\r\n");
        line += count_lines(at, blanks);
        at += blanks;
        if (at == end) return MNEME_OK;
        json_error_t cause;
        json_t *document = json_parse(at, (size_t)(end - at),
                                      JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &cause);
        if (document == NULL) {
            if (cause.line > 1) line += (size_t)cause.line - 1;
            return error_set(error, MNEME_BAD_INPUT, "%s:%zu: %s", path, line, cause.text);
        }
        mneme_status status = take(user, document, line);
        json_decref(document);
        TRY(status);
        line += count_lines(at, (size_t)cause.position);
        at += cause.position;
    }
}
