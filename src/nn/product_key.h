#ifndef NN_PRODUCT_KEY_H
#define NN_PRODUCT_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "nn/matmul.h"
#include "nn/row_scatter.h"

/* Product-key lookup (Lample et al. 2019; Berges et al. 2024): which slots a query reads, and with
 * which weights. query [n, heads, 2, half] with half = k_dim / 2; keys [heads, 2, n_keys, half]. */
struct product_key_shape {
    size_t heads;
    size_t n_keys;
    size_t half; /* k_dim / 2 */
    size_t knn;
};

/* What a lookup finds, all [n, heads, knn], best slot first. */
struct product_key_reads {
    int32_t *slots;   /* row * n_keys + column */
    int32_t *rows;    /* sub-key of the first half */
    int32_t *columns; /* sub-key of the second half */
    float *weights;   /* softmax of the summed scores over the knn of a head */
};

/* Every thread looks up a few tokens at a time, so that their scores stay in its cache. */
struct product_key_thread;
struct product_key_scratch {
    size_t n_threads;
    struct product_key_thread *threads;
    float *packed; /* the packed keys, for a call without any */
    size_t packed_size;
};

mneme_status product_key_scratch_open(struct product_key_scratch *scratch,
                                      const struct product_key_shape *shape, mneme_error *error);
void product_key_scratch_close(struct product_key_scratch *scratch);

/* The floats that product_key_pack writes, and the packing of keys that many lookups share. */
size_t product_key_packed_size(const struct product_key_shape *shape);
void product_key_pack(const struct product_key_shape *shape, const float *keys, float *packed);

/* False if a score is NaN; the reads are then undefined. `packed` is the keys by product_key_pack,
 * or NULL. */
bool product_key_forward(struct product_key_scratch *scratch, const struct product_key_shape *shape,
                         size_t n, const float *query, const float *keys, const float *packed,
                         struct product_key_reads *reads);

/* From dweights [n, heads, knn], which becomes the gradient of the summed scores: dquery
 * (overwritten, unless NULL) and dkeys (+= in the order of (key, token, rank), unless NULL;
 * scatter then has room for 2 * n * heads * knn). */
void product_key_backward(struct row_scatter *scatter, const struct product_key_shape *shape,
                          size_t n, const float *query, const float *keys,
                          const struct product_key_reads *reads, float *dweights, float *dquery,
                          float *dkeys);

#endif
