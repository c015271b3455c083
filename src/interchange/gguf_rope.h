#ifndef INTERCHANGE_GGUF_ROPE_H
#define INTERCHANGE_GGUF_ROPE_H

#include <jansson.h>

#include "model/config.h"
#include "tensor/gguf.h"

/* Scaled RoPE in a GGUF file: `rope.scaling.*` of an architecture, and the tensor
 * `rope_freqs.weight` of Llama 3, by which each frequency is divided. */

#define GGUF_ROPE_FACTORS "rope_freqs.weight"

/* Sets the flat keys of a mneme config.json in `object`. */
mneme_status gguf_rope_scaling(const struct gguf *file, const char *architecture, json_t *object,
                               mneme_error *error);

/* Finds the numbers of Llama 3's scaling whose factors the tensor has, where the file has it, and
 * sets them in *config, whose other members are known; refuses others. */
mneme_status gguf_rope_factors(const struct gguf *file, struct model_config *config,
                               mneme_error *error);

#endif
