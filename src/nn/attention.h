#ifndef NN_ATTENTION_H
#define NN_ATTENTION_H

#include <stddef.h>

#include "base/memory.h"
#include "nn/matmul.h"

/* Causal attention with grouped key-value heads over sequences of different lengths that lie one
 * after the other: q [n, heads, head_dim], k and v [n, kv_heads, head_dim], sequence s being the
 * tokens starts[s] .. starts[s + 1] - 1. Head h uses the key-value head h / (heads / kv_heads). */
struct attention_shape {
    size_t heads;
    size_t kv_heads;
    size_t head_dim;
    size_t max_positions; /* no sequence is longer */
};

/* A thread's working memory. Queries are taken in blocks, so that it grows with max_positions, not
 * with its square. */
struct attention_thread {
    float *weights;   /* [a block of queries, positions] */
    float *gradients; /* [a block of queries, positions] */
    float *keys;      /* [head_dim, positions], transposed */
    struct matmul_scratch matmul;
    struct arena arena;
};

struct attention_scratch {
    size_t n_threads;
    struct attention_thread *threads;
};

mneme_status attention_scratch_open(struct attention_scratch *scratch,
                                    const struct attention_shape *shape, mneme_error *error);
/* Less room, for attention_forward_cached only. */
mneme_status attention_scratch_open_cached(struct attention_scratch *scratch,
                                           const struct attention_shape *shape, mneme_error *error);
void attention_scratch_close(struct attention_scratch *scratch);

/* out [n, heads, head_dim]. */
void attention_forward(struct attention_scratch *scratch, const struct attention_shape *shape,
                       size_t n_sequences, const size_t *starts, const float *q, const float *k,
                       const float *v, float *out);

/* dq, dk, dv are overwritten. The weights are computed again with the same bits. dk and dv sum
 * over the heads of a group, ascending, and within a head over the queries, ascending; dq over the
 * keys, ascending. Blocks of queries end those sums where only zeros would follow. */
void attention_backward(struct attention_scratch *scratch, const struct attention_shape *shape,
                        size_t n_sequences, const size_t *starts, const float *q, const float *k,
                        const float *v, const float *dout, float *dq, float *dk, float *dv);

/* Keys and values of earlier positions, for decoding: of one layer and `n_sequences` sequences.
 * keys [n_sequences, kv_heads, head_dim, stride] (transposed), values [n_sequences, kv_heads,
 * stride, head_dim]; stride is a multiple of ATTENTION_KEY_BLOCK. */
struct attention_cache {
    size_t stride;
    float *keys;
    float *values;
};

/* Attention of new tokens, which are appended to the cache: sequence s adds the tokens
 * starts[s] .. starts[s+1]-1, the first at position pasts[s], and has the cache row rows[s].
 * The same bits as attention_forward on the whole sequence. */
void attention_forward_cached(struct attention_scratch *scratch,
                              const struct attention_shape *shape, size_t n_sequences,
                              const size_t *starts, const size_t *pasts, const size_t *rows,
                              const struct attention_cache *cache, const float *q, const float *k,
                              const float *v, float *out);

#endif
