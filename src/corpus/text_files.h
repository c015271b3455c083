#ifndef CORPUS_TEXT_FILES_H
#define CORPUS_TEXT_FILES_H

#include <stdint.h>

#include "base/digest.h"
#include "base/path.h"

/* The files of a text corpus. A source is a file, of any name, or a folder, of which the files are
 * taken whose names end in .txt, .text, .md, .json, .jsonl or .ndjson, in any case, at any depth,
 * sorted by the bytes of their paths. Hidden files and folders are not looked at; how many other
 * files there are is counted. MNEME_BAD_INPUT for a folder that has no such file, and for one that
 * has a compressed one (a.txt.gz). */
struct text_files {
    char **paths; /* [n] that can be opened, in the order of the sources */
    size_t n;
    size_t capacity;
    size_t n_passed_over; /* files in folders whose names end otherwise */
    char *passed_over;    /* the first of them; NULL: there is none */
};

mneme_status text_files_find(const char *const *sources, size_t n_sources, struct text_files *files,
                             mneme_error *error);
/* How many bytes they have together. */
mneme_status text_files_bytes(const char *const *sources, size_t n_sources, uint64_t *bytes,
                              mneme_error *error);
/* Does nothing to {0}. */
void text_files_free(struct text_files *files);

/* What a source holds: a file's SHA-256; a folder's is that of the SHA-256 of its files in order,
 * each as 64 digits and a newline. Little is held in memory. */
mneme_status text_files_digest(const char *source, struct digest *digest, mneme_error *error);

#endif
