#ifndef SPLITTER_NORMALIZER_H
#define SPLITTER_NORMALIZER_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/* What a tokenizer.json's `normalizer` does to a text before it is cut: NFC, NFD, NFKC, NFKD,
 * Lowercase, Strip, StripAccents, Replace, Prepend, ByteLevel, and Sequences of them, as the Python
 * package `tokenizers` has them. Bytes that are no UTF-8 stay as they are. */
struct normalizer;

/* *normalizer is NULL for one that does nothing: missing, null or an empty Sequence. `path` names
 * the file. MNEME_BAD_INPUT for a kind that is not known. */
mneme_status normalizer_open(const json_t *value, const char *path, struct normalizer **normalizer,
                             mneme_error *error);
/* NULL is allowed. */
void normalizer_close(struct normalizer *normalizer);

/* *normal becomes what text[0..length) becomes, with a NUL; the caller frees it. Two threads must
 * not share a normalizer. */
mneme_status normalizer_run(const struct normalizer *normalizer, const char *text, size_t length,
                            char **normal, size_t *normal_length, mneme_error *error);

#endif
