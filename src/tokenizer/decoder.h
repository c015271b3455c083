#ifndef TOKENIZER_DECODER_H
#define TOKENIZER_DECODER_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/* What a tokenizer.json's `decoder` makes of the texts of tokens, as the Python package
 * `tokenizers` has it: ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip, BPEDecoder,
 * WordPiece, and Sequences of them. */
struct decoder;

/* *decoder is NULL for none: missing or null. `path` names the file. MNEME_BAD_INPUT for a kind
 * that is not known. */
mneme_status decoder_open(const json_t *value, const char *path, struct decoder **decoder,
                          mneme_error *error);
/* NULL is allowed. */
void decoder_close(struct decoder *decoder);

/* Texts one after another. All zero is none. */
struct decoder_texts {
    char *bytes;
    size_t length, byte_capacity;
    size_t *ends; /* [n] where each ends in bytes */
    size_t n, end_capacity;
};

mneme_status decoder_texts_add(struct decoder_texts *texts, const char *bytes, size_t length,
                               mneme_error *error);
void decoder_texts_free(struct decoder_texts *texts);

/* *texts, those of the tokens, become what they are decoded to, to be read in a row. Without a
 * decoder they are joined with blanks. Bytes that ByteLevel makes may be no UTF-8 where the package
 * has U+FFFD. */
mneme_status decoder_run(const struct decoder *decoder, struct decoder_texts *texts,
                         mneme_error *error);

#endif
