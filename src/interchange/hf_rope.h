#ifndef INTERCHANGE_HF_ROPE_H
#define INTERCHANGE_HF_ROPE_H

#include <jansson.h>

#include "base/json_read.h"
#include "model/config.h"

/* RoPE in a config.json of transformers: `rope_theta` and `rope_scaling` of version 4,
 * `rope_parameters`, which has both, of version 5. */

/* Reads them into the flat keys of a mneme config.json, in `object`, which is root's. */
mneme_status hf_rope_read(const struct json_place *root, json_t *object, mneme_error *error);

/* Sets the keys of version 4, which 5 takes too. */
void hf_rope_write(const struct model_config *config, json_t *object);

#endif
