#ifndef INTERCHANGE_GGUF_TOKENIZER_H
#define INTERCHANGE_GGUF_TOKENIZER_H

#include <jansson.h>

#include "tensor/gguf.h"

/* Hugging Face's tokenizer.json of the tokenizer in a GGUF file's metadata (`tokenizer.ggml.*`): a
 * byte-level BPE (`model` gpt2), cut as its `pre` says, or SentencePiece's BPE (`model` llama),
 * whose merges follow from the tokens' scores as in transformers. *root is NULL when the file has
 * no tokenizer. MNEME_BAD_INPUT, naming file and key, for one of another kind or a damaged one. */
mneme_status gguf_tokenizer(const struct gguf *file, json_t **root, mneme_error *error);

#endif
