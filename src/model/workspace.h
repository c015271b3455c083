#ifndef MODEL_WORKSPACE_H
#define MODEL_WORKSPACE_H

#include <stdint.h>

#include "base/memory.h"
#include "model/config.h"
#include "nn/attention.h"
#include "nn/matmul.h"
#include "nn/product_key.h"
#include "nn/row_scatter.h"
#include "tensor/tensor.h"

/* The memory of a pass: what it leaves, and what it writes to on its way. */

/* ACTIVATION_input, … */
enum layer_activation {
#define LAYER_ACTIVATION(member, ...) ACTIVATION_##member,
#include "model/layer_activations.def"
    LAYER_ACTIVATIONS,
#undef LAYER_ACTIVATION
};

/* A line of layer_activations.def, for a certain layer. */
struct activation_line {
    size_t width;
    const char *recorded; /* or NULL */
    enum tensor_type type;
    bool exists, kept;
};

void layer_activation_lines(const struct model_config *config, bool ffn, bool memory,
                            struct activation_line lines[LAYER_ACTIVATIONS]);

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

/* What a pass has room for. */
struct pass_size {
    size_t tokens;    /* N, of a batch */
    size_t positions; /* of a sequence, with what a cache holds of it */
    size_t logits; /* tokens whose logits are made at a time; 0: the caller makes them elsewhere */
    /* In training each layer keeps what layer_activations.def calls kept alone; the rest is one
     * layer's at a time, which the backward pass makes again. */
    bool checkpoints;
    size_t first_kept; /* the layers below it keep nothing: no backward pass reaches them */
};

/* What a pass over N tokens leaves. */
struct activations {
    struct layer_activations *layers; /* [n_layers] */
    float *output;                    /* [N, dim] after the last layer */
    float *output_normed;             /* [N, dim] */
    float *output_norm_r;             /* [N] */
    float *losses;                    /* [N] */
    /* Of the tokens whose logits are made at a time, B of them: */
    size_t logits_rows;       /* B */
    float *logits;            /* [B, vocab_size] */
    size_t *predicting;       /* [B] which tokens */
    int32_t *predicted;       /* [B] their targets */
    float *predicting_normed; /* [B, dim] what the output layer reads, and its gradient */
    float *predicting_losses; /* [B] */
    /* Of memory layers in training, [n_memory_layers, N, …]: */
    float *d_reads;         /* [v_dim] gradients of the reads */
    float *d_expert_hidden; /* [heads, knn] PEER */
    float *expert_inputs;   /* [v_dim] PEER: what was scored */
    struct arena arena;
};

/* Without `training` all layers share one set of arrays; with checkpoints they share those that are
 * not kept. */
mneme_status activations_open(struct activations *activations, const struct model_config *config,
                              const struct pass_size *size, bool training, mneme_error *error);
void activations_close(struct activations *activations);

/* A layer's reads, as the lookup knows them. */
struct product_key_reads layer_reads(const struct layer_activations *layer);

/* What a pass over N tokens writes to on its way, and tables that it reads. */
struct scratch {
    float *rope_cosine, *rope_sine; /* [positions, head_dim] */
    struct matmul_scratch matmul;
    struct attention_shape attention_shape;
    struct attention_scratch attention;
    struct product_key_shape product_key_shape;
    struct product_key_scratch product_key;
    /* qk_norm of a memory: the sub-keys as they are scored, and their norms' factors (key_norm.h),
     * of each memory layer in training, of the last one otherwise. */
    float *scored_keys;
    /* Backward pass: */
    float *d_stream;            /* [N, dim] gradient of the residual stream */
    float *d_normed, *d_branch; /* [N, dim]; after model_loss d_normed is the output_normed's */
    float *d_wide1, *d_wide2;   /* [N, widest of heads * head_dim, hidden_dim, v_dim] */
    float *d_k, *d_v;           /* [N, kv_heads, head_dim] */
    float *d_query;             /* [N, heads, k_dim] */
    float *d_weights;           /* [N, heads, knn] */
    float *d_gating;            /* gated: [N] */
    float *d_scale;             /* beside: [N] */
    struct row_scatter scatter;
    struct arena arena;
};

/* `cached`: for passes that continue a cache alone. */
mneme_status scratch_open(struct scratch *scratch, const struct model_config *config,
                          const struct pass_size *size, bool cached, bool training,
                          mneme_error *error);
void scratch_close(struct scratch *scratch);

#endif
