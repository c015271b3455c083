#ifndef CORPUS_TEXT_CHECK_H
#define CORPUS_TEXT_CHECK_H

#include <stddef.h>

#include "base/error.h"

/* Refuses, naming path, line and byte, what is no UTF-8 or has a NUL byte; and by their names
 * files that are no text at all: compressed ones, Parquet, UTF-16 and UTF-32. */
mneme_status text_check(const char *path, const char *bytes, size_t length, mneme_error *error);

#endif
