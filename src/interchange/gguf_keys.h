#ifndef INTERCHANGE_GGUF_KEYS_H
#define INTERCHANGE_GGUF_KEYS_H

#include "model/config.h"
#include "tensor/gguf.h"

/* The config that a GGUF file's metadata gives. MNEME_BAD_INPUT, naming file and key, for another
 * architecture than `llama`, and for a key that changes what is computed and is not known. */
mneme_status gguf_config(const struct gguf *file, struct model_config *config, mneme_error *error);

#endif
