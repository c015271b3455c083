#ifndef MODEL_SCRATCH_H
#define MODEL_SCRATCH_H

#include "base/memory.h"
#include "model/config.h"
#include "nn/attention.h"
#include "nn/matmul.h"
#include "nn/product_key.h"
#include "nn/row_scatter.h"

/* What a pass over N = max_tokens tokens writes to on its way, and tables that it reads. */
struct scratch {
    float *rope_cosine, *rope_sine; /* [max_seq_len, head_dim] */
    struct matmul_scratch matmul;
    struct attention_shape attention_shape;
    struct attention_scratch attention;
    struct product_key_shape product_key_shape;
    struct product_key_scratch product_key;
    /* Backward pass: */
    float *d_stream;            /* [N, dim] gradient of the residual stream */
    float *d_normed, *d_branch; /* [N, dim] */
    float *d_wide1, *d_wide2;   /* [N, widest of heads * head_dim, hidden_dim, v_dim] */
    float *d_k, *d_v;           /* [N, kv_heads, head_dim] */
    float *d_query;             /* [N, heads, k_dim] */
    float *d_weights;           /* [N, heads, knn] */
    float *d_gating;            /* gated: [N] */
    struct row_scatter scatter;
    struct arena arena;
};

mneme_status scratch_open(struct scratch *scratch, const struct model_config *config,
                          size_t max_tokens, bool training, mneme_error *error);
void scratch_close(struct scratch *scratch);

#endif
