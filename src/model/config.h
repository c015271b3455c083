#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"
#include "base/json_read.h"
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
    /* The reference's variants. MEMORY_PLUS is what a file means that says nothing of them. */
    bool query_bias;
    bool swilu_projection; /* value_proj(read * silu(swilu_projection(x))) */
    bool value_proj;       /* else the read itself, v_dim = dim; needed by swilu_projection */
    bool gated;            /* the output times sigmoid(gating(x)) */
    bool peer_variant;     /* slots are experts of one hidden unit: values_u and values_v */
};
#define MEMORY_PLUS .query_bias = true, .swilu_projection = true, .value_proj = true

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

/* The keys of the variants, in a config's `memory` as in a recipe's. Reading gives defaults to
 * those that are missing: query_bias true, gated and peer_variant false, swilu_projection true but
 * for PEER, value_proj where there is a swilu_projection or v_dim is not dim. Writing leaves out
 * what has its default, so that objects of Memory+ layers are what they were before there were
 * others.
 */
#define MEMORY_VARIANT_KEYS "query_bias", "swilu_projection", "value_proj", "gated", "peer_variant"
mneme_status memory_variant_read(const struct json_place *memory, size_t dim,
                                 struct memory_config *config, mneme_error *error);
/* Nonzero when out of memory. */
int memory_variant_write(const struct memory_config *config, size_t dim, json_t *memory);
/* Whether the parts fit each other. */
mneme_status memory_variant_check(const struct memory_config *config, size_t dim,
                                  const struct json_place *memory, mneme_error *error);

/* Hugging Face style object: Llama's names (`hidden_size`, `num_hidden_layers`, …) and a
 * `memory` object. */
json_t *model_config_to_json(const struct model_config *config);
mneme_status model_config_from_json(const json_t *object, const char *place,
                                    struct model_config *config, mneme_error *error);

#endif
