#ifndef MODEL_ADAPTER_H
#define MODEL_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/model.h"

/* Low-rank adapters (LoRA, Hu et al. 2021) on the linear layers of a model: wq, wk, wv, wo, w1, w2,
 * w3, and a memory layer's query, swilu, value and gating projections; not the output layer. */

/* Adapter i draws from stream ADAPTER_STREAM + i, far from the model's own parameters'. */
#define ADAPTER_STREAM (RANDOM_STREAM_PARAMETERS + (1u << 20))

struct adapter {
    struct parameter *weight; /* the model's, that it belongs to */
    struct parameter a;       /* [rank, in], uniform in +-1/sqrt(in) at first */
    struct parameter b;       /* [out, rank], zero at first */
    float scale;              /* alpha / rank */
    float *hidden;            /* [max_tokens, rank] scale * x A^T of the last forward pass */
    float *dhidden;           /* [max_tokens, rank], shared by all adapters */
};

struct adapter_set {
    size_t n_adapters;
    struct adapter *adapters;
    struct arena arena;
};

/* Attaches adapters to the layers first_layer .. last_layer (clipped to the model's). */
mneme_status adapter_set_open(struct adapter_set *set, struct model *model, size_t rank,
                              float alpha, size_t first_layer, size_t last_layer, size_t max_tokens,
                              uint64_t seed, mneme_error *error);

/* W += scale * B A for every adapter of the model, which it then detaches; the model is a plain one
 * again. */
mneme_status adapter_merge(struct model *model, mneme_error *error);

/* Attaches the set again after adapter_merge; the model's weights must be those before it. */
void adapter_set_attach(struct adapter_set *set);

/* Detaches and frees. */
void adapter_set_close(struct adapter_set *set, struct model *model);

#endif
