#ifndef BUDGET_MODEL_WORK_H
#define BUDGET_MODEL_WORK_H

#include "model/model.h"

/* What passes through a model take, counted as a profile does (profile/operations.def): of every
 * product, two operations for each weight and token; of attention, those of the pairs of tokens.
 * What grows with neither is left out. */

/* Parameters of a part of the model. */
struct model_parts {
    size_t embedding; /* the output's too, where it is tied */
    size_t attention, ffn, norms, output;
    size_t memory_keys;   /* queries and sub-keys */
    size_t memory_values; /* the value tables */
    size_t memory_other;  /* projections and scale */
};

struct model_parts model_parts(const struct model *model);

/* Sequences that passes go over. */
struct pass_work {
    double tokens;
    double length;    /* of a sequence, the mean */
    double predicted; /* tokens that get logits */
};

/* Operations of the forward pass from layer `first` on. */
double work_forward(const struct model *model, const struct pass_work *work, size_t first);
/* Operations of the backward pass down to that layer; with `weights` the gradients of all weights
 * above, too, otherwise of none. */
double work_backward(const struct model *model, const struct pass_work *work, size_t first,
                     bool weights);

/* Bytes of weights that a pass reads: all that are multiplied with, once, and of a token the rows
 * that it reads of embedding and value tables. */
double work_weight_bytes(const struct model *model, double tokens);
/* Bytes of all weights as model_map has them in memory. */
size_t work_kept_bytes(const struct model *model);
/* Bytes of keys and values that a decoded token reads, after so many others. */
double work_cache_bytes(const struct model *model, double length);

#endif
