#ifndef TEXT_CSV_H
#define TEXT_CSV_H

#include <stddef.h>

#include "text/text_list.h"

/* Reads CSV as RFC 4180 has it: fields between commas, quoted when they hold a comma, a quote
 * (doubled) or a line break; rows end with LF or CRLF. Between tabs a field that does not begin
 * with a quote may hold some. Start from {.at = text, .line = 1, .separator = ','}. */
struct csv_reader {
    const char *at; /* what is still to be read, NUL-terminated */
    size_t line;    /* of `at`, from 1 */
    char separator;
};

/* Reads the next row's fields into *row, which the call empties first; `line` is then that of the
 * next row. No field at the end of the text. Returns NULL, or what is malformed at `line`. A
 * failed allocation sets *status and returns NULL. */
const char *csv_next(struct csv_reader *reader, struct text_list *row, mneme_status *status,
                     mneme_error *error);

#endif
