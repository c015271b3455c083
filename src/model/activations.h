#ifndef MODEL_ACTIVATIONS_H
#define MODEL_ACTIVATIONS_H

#include "base/memory.h"
#include "model/layer_tables.h"
#include "nn/product_key.h"

/* What one layer keeps from its forward pass, by name or by line of layer_activations.def; NULL:
 * the layer has none. */
struct layer_activations {
    union {
        struct {
#define LAYER_ACTIVATION(member, type, ...) type *member;
#include "model/layer_activations.def"
#undef LAYER_ACTIVATION
        };
        void *arrays[LAYER_ACTIVATIONS];
    };
};
_Static_assert(sizeof(struct layer_activations) == LAYER_ACTIVATIONS * sizeof(void *),
               "a layer's members are the lines of layer_activations.def");

/* What a pass leaves, of N = max_tokens tokens. */
struct activations {
    struct layer_activations *layers; /* [n_layers] */
    float *output;                    /* [N, dim] after the last layer */
    float *output_normed;             /* [N, dim] */
    float *output_norm_r;             /* [N] */
    float *logits;                    /* [N, vocab_size] */
    float *losses;                    /* [N] */
    /* Of memory layers in training, [n_memory_layers, N, …]: */
    float *d_reads;         /* [v_dim] gradients of the reads */
    float *d_expert_hidden; /* [heads, knn] PEER */
    float *expert_inputs;   /* [v_dim] PEER: what was scored */
    struct arena arena;
};

/* Without `training` all layers share one set of arrays. */
mneme_status activations_open(struct activations *activations, const struct model_config *config,
                              size_t max_tokens, bool training, mneme_error *error);
void activations_close(struct activations *activations);

/* A layer's reads, as the lookup knows them. */
struct product_key_reads layer_reads(const struct layer_activations *layer);

#endif
