#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <jansson.h>

#include "base/error.h"

/* json_dumps in the C locale. The caller frees the text. */
char *json_print(const json_t *value, size_t flags);

/* The shortest decimal that reads back as exactly this float, so that a file says 0.1 where the
 * recipe did. The value must be finite. NULL without memory. */
json_t *json_float(float value);

/* Writes `value` atomically: two spaces of indent, keys in the order in which they were set, a
 * newline at the end. Every number reads back exactly: with 15 significant digits where that is
 * enough for the whole file, otherwise with 17. The same in every locale. */
mneme_status json_write_file(const char *path, const json_t *value, mneme_error *error);

#endif
