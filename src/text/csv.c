#include "text/csv.h"

#include <stdlib.h>
#include <string.h>

/* A field in quotes; reader->at is behind the first one. NULL in *field without memory. */
static const char *read_quoted(struct csv_reader *reader, char **field) {
    size_t length = 0, line_breaks = 0, n = 0;
    const char *text = reader->at;
    for (; text[length] != '"' || text[length + 1] == '"'; length++) {
        if (text[length] == '\0') return "a quoted field that does not end";
        if (text[length] == '"') length++;
        line_breaks += text[length] == '\n';
    }
    *field = malloc(length + 1);
    for (size_t i = 0; i < length && *field != NULL; i++) {
        if (text[i] == '"') i++;
        (*field)[n++] = text[i];
    }
    if (*field != NULL) (*field)[n] = '\0';
    reader->at = text + length + 1;
    reader->line += line_breaks;
    return NULL;
}

static const char *read_plain(struct csv_reader *reader, char **field) {
    const char ends[] = {reader->separator, '\n', reader->separator == '\t' ? '\0' : '"', '\0'};
    size_t length = strcspn(reader->at, ends);
    if (reader->at[length] == '"') return "a quote inside a field that is not quoted";
    size_t kept = length;
    if (kept > 0 && reader->at[length] != reader->separator && reader->at[kept - 1] == '\r') kept--;
    *field = strndup(reader->at, kept);
    reader->at += length;
    return NULL;
}

const char *csv_next(struct csv_reader *reader, struct text_list *row, mneme_status *status,
                     mneme_error *error) {
    text_list_free(row);
    *status = MNEME_OK;
    if (*reader->at == '\0') return NULL;
    for (;;) {
        char *field = NULL;
        const char *cause;
        if (*reader->at == '"') {
            reader->at++;
            cause = read_quoted(reader, &field);
        } else {
            cause = read_plain(reader, &field);
        }
        if (cause != NULL) return cause;
        *status = text_list_add(row, field, error);
        if (*status != MNEME_OK) return NULL;
        if (*reader->at != reader->separator) break;
        reader->at++;
    }
    if (reader->at[0] == '\r' && (reader->at[1] == '\n' || reader->at[1] == '\0')) reader->at++;
    if (*reader->at != '\n' && *reader->at != '\0') return "text after the end of a quoted field";
    if (*reader->at == '\n') {
        reader->at++;
        reader->line++;
    }
    return NULL;
}
