#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/config.h"
#include "model/parameter.h"

/* One layer's parameters; the feed-forward three or the memory's, the others NULL. */
struct layer {
    struct parameter *attention_norm;            /* [dim] */
    struct parameter *wq, *wk, *wv, *wo;         /* [out, in] */
    struct parameter *ffn_norm;                  /* [dim] */
    struct parameter *w1, *w2, *w3;              /* w2(silu(w1 x) * w3 x) */
    struct parameter *query_weight;              /* [heads * k_dim, dim] */
    struct parameter *query_bias;                /* [heads * k_dim], or NULL */
    struct parameter *keys;                      /* [heads * 2 * n_keys, k_dim / 2] */
    struct parameter *values;                    /* [n_slots, v_dim]; may be another layer's too */
    struct parameter *values_u;                  /* PEER's other table, as `values`; or NULL */
    struct parameter *swilu_weight, *swilu_bias; /* [v_dim, dim], [v_dim]; or NULL */
    struct parameter *value_weight, *value_bias; /* [dim, v_dim], [dim]; or NULL */
    struct parameter *gating_weight, *gating_bias; /* [1, dim], [1]; or NULL */
    size_t memory_index;                           /* which memory layer this is, from the bottom */
    size_t table_index;                            /* which value table it reads */
};

/* A memory-layer transformer: configuration and parameters by name. */
struct model {
    struct model_config config;
    size_t n_parameters;
    struct parameter *parameters; /* [n_parameters], in order of computation */
    struct layer *layers;         /* [n_layers] */
    struct parameter *embedding;  /* [vocab_size, dim] */
    struct parameter *norm;       /* [dim] */
    struct parameter *output;     /* [vocab_size, dim]; the embedding itself when tied */
    size_t n_tables;              /* value tables */
    float *values;                /* all tables one after the other: [n_tables * n_slots, v_dim] */
    float *values_u;              /* PEER: the same for the tables that the input is scored with */
    struct arena arena;
};

/* Names and shapes of the parameters, without room for them: their data is NULL. */
mneme_status model_describe(const struct model_config *config, struct model *model,
                            mneme_error *error);
/* Makes room for the parameters of a described model, all zero. Closes it on failure. */
mneme_status model_allocate(struct model *model, mneme_error *error);
/* Makes a model with all parameters zero. */
mneme_status model_open(const struct model_config *config, struct model *model, mneme_error *error);
void model_close(struct model *model);

/* Fills the parameters with their initial values, functions of the seed and the parameter's place:
 * gains 1, biases 0, keys uniform in +-1/sqrt(k_dim), values normal with std v_dim^-0.5, embedding
 * normal with std dim^-0.5, other weights normal with std in^-0.5 (wo, w2 and value_proj divided by
 * sqrt(2 n_layers)). PEER's two tables are both values. */
void model_initialize(struct model *model, uint64_t seed);

/* Standard normal number `index` of a stream (Box-Muller on canonical functions). */
float model_random_normal(uint64_t seed, uint64_t stream, uint64_t index);

/* The parameter of that name, or NULL. */
struct parameter *model_parameter(const struct model *model, const char *name);

size_t model_count(const struct model *model);

/* DIR/model.safetensors and DIR/config.json, each whole or not at all. */
mneme_status model_save(const struct model *model, const char *directory, mneme_error *error);
/* Opens a model from such a folder, whose weights may be in shards (tensor/safetensors_set.h);
 * refuses what does not fit the config, naming the tensor, before it makes room for the weights. */
mneme_status model_load(const char *directory, struct model *model, mneme_error *error);

#endif
