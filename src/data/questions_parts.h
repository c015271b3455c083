#ifndef DATA_QUESTIONS_PARTS_H
#define DATA_QUESTIONS_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "data/question_set.h"

/* What the readers of the question formats share; for them only. */

/* A whole file: valid UTF-8 without NUL bytes or byte order mark, and a NUL at its end. */
struct question_file {
    const char *path;
    const char *text;
    size_t length;
    mneme_error *error;
};

/* "PATH:LINE: cause", MNEME_BAD_INPUT. */
static inline mneme_status question_refuse(const struct question_file *file, size_t line,
                                           const char *cause) {
    return error_set(file->error, MNEME_BAD_INPUT, "%s:%zu: %s", file->path, line, cause);
}

/* Whether the text is JSON: an object, or a list of objects, strings or anything that parses. */
bool questions_are_json(const struct question_file *file);

/* Each reads all of the file into the set. */
mneme_status questions_read_json(const struct question_file *file, struct question_set *set);
/* *is_table is false, with nothing read, when the first row is no header with both columns. */
mneme_status questions_read_table(const struct question_file *file, struct question_set *set,
                                  bool *is_table);

#endif
