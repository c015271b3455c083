#ifndef MODEL_WORKSPACE_H
#define MODEL_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "model/model.h"
#include "model/packed_weights.h"
#include "nn/attention.h"
#include "nn/matmul.h"
#include "nn/product_key.h"
#include "nn/row_scatter.h"
#include "tensor/recorder.h"

/* What one layer keeps from its forward pass for its backward pass; N tokens. */
struct layer_activations {
    float *input;     /* [N, dim] */
    float *normed;    /* [N, dim] */
    float *norm_r;    /* [N] */
    float *q, *k, *v; /* [N, heads or kv_heads, head_dim], rotated */
    float *attention; /* [N, heads, head_dim] */
    float *middle;    /* [N, dim] after the attention */
    float *ffn_normed;
    float *ffn_norm_r;
    float *gate, *up, *hidden; /* [N, hidden_dim] */
    float *query;              /* [N, heads, k_dim] */
    struct product_key_reads reads;
    float *read;  /* [N, v_dim] */
    float *swilu; /* [N, v_dim] before the SiLU */
    float *gated; /* [N, v_dim] */
    /* Of the layer's other forms; NULL where it has not got them: */
    float *expert_hidden;  /* [N, heads, knn] PEER: values_u[slot] . x */
    float *expert_weights; /* [N, heads, knn] PEER: gelu(expert_hidden) * weight */
    float *gating;         /* [N] before the sigmoid */
    float *ungated;        /* [N, dim] the output before it is gated */
};

/* Everything a pass over at most max_tokens tokens needs, allocated once. Without `training` all
 * layers share one set of activations and there is nothing for a backward pass. */
struct workspace {
    size_t max_tokens;
    bool training;
    struct layer_activations *layers; /* [n_layers] */
    float *output;                    /* [N, dim] after the last layer */
    float *output_normed;             /* [N, dim] */
    float *output_norm_r;             /* [N] */
    float *logits;                    /* [N, vocab_size] */
    float *losses;                    /* [N] */
    /* Backward pass: */
    float *d_stream;            /* [N, dim] gradient of the residual stream */
    float *d_normed, *d_branch; /* [N, dim] */
    float *d_wide1, *d_wide2;   /* [N, widest of heads * head_dim, hidden_dim, v_dim] */
    float *d_k, *d_v;           /* [N, kv_heads, head_dim] */
    float *d_query;             /* [N, heads, k_dim] */
    float *d_weights;           /* [N, heads, knn] */
    float *d_reads;             /* [n_memory_layers, max_tokens, v_dim] */
    float *d_expert_hidden;     /* PEER: [n_memory_layers, max_tokens, heads, knn] */
    float *expert_inputs;       /* PEER: [n_memory_layers, max_tokens, dim], what was scored */
    float *d_gating;            /* gated: [N] */
    float *tied_gradient;       /* [vocab_size, dim]: the output's share when tied, or NULL */
    struct row_scatter scatter;
    float *rope_cosine, *rope_sine; /* [max_seq_len, head_dim] */
    struct matmul_scratch matmul;
    struct attention_shape attention_shape;
    struct attention_scratch attention;
    struct product_key_shape product_key_shape;
    struct product_key_scratch product_key;
    struct packed_weights packed; /* of a frozen model, by workspace_pack; else empty */
    struct recorder *recorder;    /* borrowed; NULL: passes are not recorded */
    struct arena arena;
};

mneme_status workspace_open(struct workspace *workspace, const struct model *model,
                            size_t max_tokens, bool training, mneme_error *error);
/* For a model whose linear layers and keys stay as they are while the workspace is open: packs them
 * once, those from lowest_backward_layer up for the backward pass too (n_layers: for none). */
mneme_status workspace_pack(struct workspace *workspace, const struct model *model,
                            size_t lowest_backward_layer, mneme_error *error);
void workspace_close(struct workspace *workspace);

#endif
