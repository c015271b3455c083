#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"
#include "nn/product_key.h"

#define MODEL_MAX_MEMORY_LAYERS 64

/* The product-key memory layers of a model (names as in the reference's HashingMemory). */
struct memory_config {
    size_t n_layers;                        /* 0: a plain transformer */
    size_t layers[MODEL_MAX_MEMORY_LAYERS]; /* ascending; these layers have a memory for an FFN */
    size_t n_keys;                          /* sub-keys per half; the table has n_keys^2 slots */
    size_t heads;
    size_t knn;        /* slots read per head */
    size_t k_dim;      /* both halves together; even */
    size_t v_dim;      /* width of a value row; 0 in a file means `dim` */
    bool share_values; /* one table for all memory layers */
};

/* Llama as in Meta Lingua. All sizes are counts of elements. */
struct model_config {
    size_t vocab_size;
    size_t dim;
    size_t n_layers;
    size_t n_heads;
    size_t n_kv_heads;  /* divides n_heads */
    size_t multiple_of; /* the FFN's hidden size is rounded up to a multiple of this */
    size_t hidden_dim;  /* the FFN's hidden size where it is no such multiple; 0: it is */
    size_t max_seq_len;
    float norm_eps;
    float rope_theta;
    bool tied_output; /* the output projection is the embedding table */
    struct memory_config memory;
};

size_t model_head_dim(const struct model_config *config);
/* hidden_dim, or int(2 * 4 * dim / 3) rounded up to a multiple of multiple_of. */
size_t model_hidden_dim(const struct model_config *config);
size_t model_n_slots(const struct model_config *config);
struct product_key_shape model_product_key_shape(const struct model_config *config);
bool model_layer_has_memory(const struct model_config *config, size_t layer);

/* Checks that the sizes fit each other; the message names `place` and the key. */
mneme_status model_config_check(const struct model_config *config, const char *place,
                                mneme_error *error);

/* Hugging Face style object: Llama's names (`hidden_size`, `num_hidden_layers`, …) and a
 * `memory` object. */
json_t *model_config_to_json(const struct model_config *config);
mneme_status model_config_from_json(const json_t *object, const char *place,
                                    struct model_config *config, mneme_error *error);

#endif
