#ifndef INTERCHANGE_GGUF_KEYS_H
#define INTERCHANGE_GGUF_KEYS_H

#include "model/config.h"
#include "tensor/gguf.h"

/* An architecture that is a Llama with options. */
struct gguf_architecture {
    const char *name;
    bool splits_halves; /* RoPE's pairs are (i, i + head_dim / 2), as in transformers; else (2i, 2i
                           + 1) */
    bool qk_norm;
};

/* The model's configuration from the metadata (`llama.*`) and its tensors' shapes. MNEME_BAD_INPUT,
 * naming the key, for another architecture, and for a key that changes what is computed and that
 * mneme does not know. */
mneme_status gguf_config(const struct gguf *file, const struct gguf_architecture **architecture,
                         struct model_config *config, mneme_error *error);

#endif
