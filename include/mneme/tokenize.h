#ifndef MNEME_TOKENIZE_H
#define MNEME_TOKENIZE_H

/* Text to token ids and back, with a tokenizer.json. */

#include <stddef.h>
#include <stdint.h>

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mneme_tokenizer mneme_tokenizer;

/* Opens a tokenizer.json or the one in a model folder. MNEME_BAD_INPUT for a kind of tokenizer that
 * is not supported (docs/interchange.md). */
MNEME_API mneme_status mneme_tokenizer_open(const char *path, mneme_tokenizer **tokenizer,
                                            mneme_error *error);
/* NULL is allowed. */
MNEME_API void mneme_tokenizer_close(mneme_tokenizer *tokenizer);

/* *ids becomes the ids [*n] of the `length` bytes at text, NULL for none; free it with free(). A
 * special token in the text is one id; none is added. Two threads must not share a tokenizer. */
MNEME_API mneme_status mneme_tokenize(mneme_tokenizer *tokenizer, const char *text, size_t length,
                                      int32_t **ids, size_t *n, mneme_error *error);

/* *text becomes what the ids say, with a NUL, *length its bytes (may be NULL); free it with free().
 * Special tokens stand there by their names, or are left out where skip_special is not 0. Bytes
 * that are no UTF-8 become U+FFFD. MNEME_BAD_INPUT for an id that the tokenizer does not have. */
MNEME_API mneme_status mneme_detokenize(const mneme_tokenizer *tokenizer, const int32_t *ids,
                                        size_t n, int skip_special, char **text, size_t *length,
                                        mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
