#ifndef CORPUS_TEXT_READER_H
#define CORPUS_TEXT_READER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "tensor/mapped_file.h"

/* The documents of a text file. What it holds shows its layout:
 *
 * - JSON objects, one after the other, a line each or not: each is a document, its member `text`
 *   (in any case; other members do not matter). It begins with `{` and then `"` or `}`.
 * - A JSON list of such objects, or of texts. It begins with `[` and then `{`, `"` or `]`.
 * - Anything else: the whole file is one document.
 *
 * A file is UTF-8; a byte order mark at its beginning is left out, and CRLF in a file that is one
 * document is LF. Blanks stay as they are, but a document that has nothing else is passed over.
 * MNEME_BAD_INPUT, "PATH:LINE: cause", for invalid UTF-8, a NUL byte, broken JSON, a record without
 * a text; for compressed files, Parquet, UTF-16 and UTF-32, by name. */

struct text_document {
    const char *bytes; /* [length], UTF-8 without NUL; no NUL stands after it */
    size_t length;
};

enum text_layout { TEXT_DOCUMENT, TEXT_RECORDS, TEXT_LIST };

struct text_reader {
    const char *path; /* borrowed */
    struct mapped_file file;
    enum text_layout layout;
    const char *at, *end; /* what is not read yet */
    size_t line;          /* of `at`, from 1 */
    size_t n_read;        /* documents and elements that came so far */
    size_t n_empty;       /* of them, passed over */
    json_t *record;       /* of the last document; NULL */
    char *unfolded;       /* a document without its CRs; NULL */
};

mneme_status text_reader_open(struct text_reader *reader, const char *path, mneme_error *error);
/* Does nothing to {0}. */
void text_reader_close(struct text_reader *reader);

/* The next document, which lives until the next call; bytes are NULL after the last one. */
mneme_status text_reader_next(struct text_reader *reader, struct text_document *document,
                              mneme_error *error);

/* Bytes of the file that are read. */
size_t text_reader_done(const struct text_reader *reader);

#endif
