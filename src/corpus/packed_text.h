#ifndef CORPUS_PACKED_TEXT_H
#define CORPUS_PACKED_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/mapped_file.h"
#include "tensor/safetensors.h"
#include "tokenizer/tokenizer.h"

/* A text corpus as tokens, in a file that is made once and mapped: the token that starts texts,
 * a document, the token that ends texts, a document, … and that token. Where a tokenizer has a
 * start of its own (`<s>`), it stands before every document. What looks like a special token in a
 * document is text, so that ends are between documents alone.
 *
 * For training the tokens are cut into sequences of sequence_length inputs, which do not overlap;
 * the last may be shorter. A sequence goes on over the ends of documents: its positions and its
 * attention do, as packed text is usually trained on. */
struct packed_text {
    struct mapped_file file;
    const int32_t *tokens; /* [n_tokens] in the file; two at least */
    size_t n_tokens;
    size_t n_documents;
    size_t n_empty;       /* documents that were passed over */
    size_t n_passed_over; /* files of folders that were, by their names */
    size_t sequence_length;
};

/* What a file of packed text was made from: texts that say what the sources hold and which
 * tokenizer it was. */
struct packed_text_origin {
    const char *sources;
    const char *tokenizer;
};

/* Told while a corpus is made into tokens. */
struct packing_progress {
    void (*call)(void *context, size_t bytes, size_t total_bytes, size_t tokens); /* or NULL */
    void *context;
};

/* Reads the sources (text_files.h, text_reader.h), encodes their documents on all threads and
 * writes the file at `path`, whole or not at all. Holds some megabytes of text at a time, or one
 * document. MNEME_BAD_INPUT when there is no document that has text, or the tokenizer no token that
 * ends texts. */
mneme_status packed_text_make(const char *path, const char *const *sources, size_t n_sources,
                              struct tokenizer *tokenizer, const struct packed_text_origin *origin,
                              const struct packing_progress *progress, mneme_error *error);

/* Opens such a file. MNEME_BAD_INPUT, naming it, when it was made from something else, is no such
 * file, or has a token that is not below vocab_size. Whether its bytes are those that were written
 * is the caller's to check, by a digest. */
mneme_status packed_text_open(struct packed_text *text, const char *path,
                              const struct packed_text_origin *origin, size_t vocab_size,
                              size_t sequence_length, mneme_error *error);
/* Does nothing to {0}. */
void packed_text_close(struct packed_text *text);

/* The first document from place *at on, which is 0 or the end of another: *at becomes its first
 * token, *n how many it has, without those around it. False: there is none. */
bool packed_text_document(const struct packed_text *text, size_t *at, size_t *n);

/* How many sequences there are. */
size_t packed_text_count(const struct packed_text *text);
/* The inputs of sequence i, *length of them; the targets begin one after. */
const int32_t *packed_text_sequence(const struct packed_text *text, size_t i, size_t *length);

#endif
