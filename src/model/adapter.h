#ifndef MODEL_ADAPTER_H
#define MODEL_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/model.h"

/* Low-rank adapters (LoRA, Hu et al. 2021) on the linear layers within a model's layers
 * (ROLE_LINEAR); not on the output layer. */

/* Adapter i draws from stream ADAPTER_STREAM + i, far from the model's own parameters'. */
#define ADAPTER_STREAM (RANDOM_STREAM_PARAMETERS + (1u << 20))

struct adapter {
    struct parameter *weight; /* the model's, that it belongs to */
    struct parameter a;       /* [rank, in], uniform in +-1/sqrt(in) at first */
    struct parameter b;       /* [out, rank], zero at first */
    float scale;              /* alpha / rank */
    float *hidden;            /* [max_tokens, rank] scale * x A^T of the last forward pass */
};

/* Adapters of a model, given to the passes that take part in them (struct pass). Their parameters
 * are numbered after the model's. */
struct adapter_set {
    size_t n_adapters;
    struct adapter *adapters;
    size_t n_parameters;        /* the model's */
    struct adapter **of_weight; /* [n_parameters], NULL: the parameter has none */
    float *dhidden;             /* [max_tokens, rank], scratch of a backward pass */
    struct arena arena;
};

/* Makes adapters for the layers first_layer .. last_layer (clipped to the model's). */
mneme_status adapter_set_open(struct adapter_set *set, struct model *model, size_t rank,
                              float alpha, size_t first_layer, size_t last_layer, size_t max_tokens,
                              uint64_t seed, mneme_error *error);
void adapter_set_close(struct adapter_set *set);

/* The adapter of a model's parameter, or NULL; `set` may be NULL. */
struct adapter *adapter_of(const struct adapter_set *set, const struct parameter *weight);

/* Whether no adapter has an infinity or a NaN; `set` may be NULL. */
bool adapter_set_is_finite(const struct adapter_set *set);

/* W += scale * B A for every adapter: the model alone now does what it did with them. */
mneme_status adapter_set_merge(struct adapter_set *set, mneme_error *error);

#endif
