#ifndef MODEL_PASS_H
#define MODEL_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "model/workspace.h"

/* Sequences of different lengths, one after the other without padding. */
struct batch {
    size_t n_tokens;
    const int32_t *tokens;  /* [n_tokens] */
    const int32_t *targets; /* [n_tokens]; CROSS_ENTROPY_IGNORE where nothing is to be predicted */
    const int32_t *positions; /* [n_tokens], within the sequence */
    size_t n_sequences;
    const size_t *starts; /* [n_sequences + 1] */
};

/* Keys and values of all layers of sequences that are being continued. */
struct kv_cache {
    size_t n_rows; /* sequences it has room for */
    struct attention_cache *layers;
};

/* Where the sequences of a batch live in a cache: sequence s in row rows[s], its first new token at
 * position pasts[s]. */
struct continuation {
    const struct kv_cache *cache;
    const size_t *pasts; /* [n_sequences] */
    const size_t *rows;  /* [n_sequences] */
};

/* Runs the layers: workspace->output_normed [n_tokens, dim] is what the output layer reads. With a
 * continuation the batch continues the cached sequences, which grow. MNEME_FAILED when a
 * product-key score is NaN, naming the layer. */
mneme_status model_forward(const struct model *model, struct workspace *workspace,
                           const struct batch *batch, const struct continuation *continuation,
                           mneme_error *error);

/* model_forward in two parts, which meet at the first memory layer: its middle, ffn_normed and
 * reads (slots and weights) are what the first part leaves and the second needs. Nothing before
 * them depends on the values. For models that have a memory layer; MNEME_FAILED as there. */
mneme_status model_forward_to_memory(const struct model *model, struct workspace *workspace,
                                     const struct batch *batch, mneme_error *error);
mneme_status model_forward_from_memory(const struct model *model, struct workspace *workspace,
                                       const struct batch *batch, mneme_error *error);

/* logits [n, vocab_size] of n rows of normed output. */
void model_logits(const struct model *model, struct workspace *workspace, size_t n,
                  const float *normed, float *logits);

/* After model_forward: workspace->losses [n_tokens]. With scale != 0 workspace->logits become the
 * logits' gradients, each loss weighted by scale. */
void model_loss(const struct model *model, struct workspace *workspace, const struct batch *batch,
                float scale);

/* After model_loss with scale != 0: adds to the gradient of every parameter that has one, adapters
 * included. Layers below lowest_layer are left out; when `to_values_only`, lowest_layer is a memory
 * layer and the pass ends at its value reads. workspace->d_reads (and
 * d_expert_hidden) are left for the values' gradients: workspace_sort_reads tells which slots they
 * belong to. */
void model_backward(const struct model *model, struct workspace *workspace,
                    const struct batch *batch, size_t lowest_layer, bool to_values_only);

#endif
