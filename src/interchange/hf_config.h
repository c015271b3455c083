#ifndef INTERCHANGE_HF_CONFIG_H
#define INTERCHANGE_HF_CONFIG_H

#include <jansson.h>

#include "base/json_read.h"
#include "model/config.h"

/* config.json of transformers' models. */

/* What a sliding window depends on. */
enum hf_window {
    HF_WINDOW_GIVEN,   /* `sliding_window` */
    HF_WINDOW_ALWAYS,  /* the same, 4,096 where it is missing */
    HF_WINDOW_SWITCHED /* `use_sliding_window`, for layers from `max_window_layers` on */
};

struct hf_family {
    const char *model_type, *architecture;
    size_t n_kv_heads, head_dim; /* where the key is missing; 0: from other keys */
    enum attention_bias bias;    /* that it always has */
    bool has_attention_bias, has_mlp_bias;
    bool qk_norm;
    enum hf_window window;
};

/* Reads a folder's config.json, and refuses by name what mneme would compute otherwise. */
mneme_status hf_config_read(const char *folder, struct model_config *config, mneme_error *error);

/* The same without `torch_dtype` and what says where texts start and end. MNEME_BAD_INPUT naming
 * `place` where no family has all that the model has. */
mneme_status hf_config_to_json(const struct model_config *config, const char *place,
                               json_t **object, mneme_error *error);

#endif
