#ifndef TEXT_JSON_DOCUMENTS_H
#define TEXT_JSON_DOCUMENTS_H

#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

/* JSON documents one after the other, a line each or not. */

/* Takes a document that begins in that line, from 1; a failure ends the reading. */
typedef mneme_status (*json_document_taker)(void *user, const json_t *document, size_t line);

/* Gives each document of text [length], which a NUL follows, to `take`. MNEME_BAD_INPUT,
 * "PATH:LINE: cause", for what is no JSON or has a key twice. */
mneme_status json_documents_read(const char *path, const char *text, size_t length,
                                 json_document_taker take, void *user, mneme_error *error);

/* The line, from 1, of the byte at text[at]. */
size_t json_documents_line(const char *text, size_t at);

#endif
