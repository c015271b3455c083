#ifndef MODEL_PASS_H
#define MODEL_PASS_H

#include <stdint.h>

#include "model/adapter.h"
#include "model/gradients.h"
#include "model/kv_cache.h"
#include "model/model.h"
#include "model/packed_weights.h"
#include "model/workspace.h"
#include "tensor/recorder.h"

/* Sequences of different lengths, one after the other without padding. */
struct batch {
    size_t n_tokens;
    const int32_t *tokens;  /* [n_tokens] */
    const int32_t *targets; /* [n_tokens]; CROSS_ENTROPY_IGNORE where nothing is to be predicted */
    const int32_t *positions; /* [n_tokens], within the sequence */
    size_t n_sequences;
    const size_t *starts; /* [n_sequences + 1] */
};

/* Where the sequences of a batch live in a cache: sequence s in row rows[s], its first new token at
 * position pasts[s]. */
struct continuation {
    const struct kv_cache *cache;
    const size_t *pasts; /* [n_sequences] */
    const size_t *rows;  /* [n_sequences] */
};

/* How far the pass over a batch has come. The functions below assert that they come after what they
 * need, and with a batch of as many tokens. */
enum pass_stage {
    PASS_NOTHING,
    PASS_AT_MEMORY, /* what a memory layer gets is there, see at_layer */
    PASS_FORWARD,   /* all layers are through */
    PASS_LOSS,      /* so is the gradient of what the output layer read */
    PASS_BACKWARD
};

/* Passes over batches of at most max_tokens tokens, one at a time, with all that they need,
 * allocated once. Without `training` all layers share one set of activations, and there is no
 * backward pass. Nothing has the size of the longest sequence that the model could take. */
struct pass {
    const struct model *model;
    size_t max_tokens;
    size_t max_positions; /* of a sequence, with what a cache holds of it */
    bool training;
    bool checkpoints;  /* the layers share what they do not keep (struct pass_size) */
    size_t held;       /* whose it is after a forward pass */
    size_t first_kept; /* no backward pass goes below this layer */
    enum pass_stage stage;
    size_t at_layer; /* of PASS_AT_MEMORY */
    size_t n_tokens; /* of the batch under way */
    struct activations activations;
    struct scratch scratch;
    struct packed_weights packed; /* of a frozen model, by pass_pack; else empty */
    struct adapter_set *adapters; /* borrowed; NULL: none */
    struct recorder *recorder;    /* borrowed; NULL: passes are not recorded */
};

mneme_status pass_open(struct pass *pass, const struct model *model, size_t max_tokens,
                       bool training, mneme_error *error);
/* For training, with or without checkpoints: with them a pass takes about a third longer, and far
 * less memory. The bits are the same. */
mneme_status pass_open_training(struct pass *pass, const struct model *model, size_t max_tokens,
                                bool checkpoints, mneme_error *error);
/* For training of the layers from first_layer on alone: those below keep nothing, and are not
 * packed: the pass may begin at a memory. */
mneme_status pass_open_above(struct pass *pass, const struct model *model, size_t max_tokens,
                             size_t first_layer, mneme_error *error);
/* With room for a certain size. */
mneme_status pass_open_sized(struct pass *pass, const struct model *model,
                             const struct pass_size *size, bool training, mneme_error *error);
/* Without training, and without room for logits, which the caller makes in blocks of its own. */
mneme_status pass_open_scoring(struct pass *pass, const struct model *model, size_t max_tokens,
                               mneme_error *error);
/* For decoding with a cache alone: without room for any pass, which pass_resize makes. */
void pass_open_cached(struct pass *pass, const struct model *model);
/* Room for that much instead, and a batch's results are lost; on failure, for nothing. */
mneme_status pass_resize(struct pass *pass, const struct pass_size *size, mneme_error *error);
/* For a model whose linear layers and keys stay as they are while the pass is open: packs them
 * once, those from lowest_backward_layer up for the backward pass too (n_layers: for none). */
mneme_status pass_pack(struct pass *pass, size_t lowest_backward_layer, mneme_error *error);
/* The same but for those that have a gradient in `trained`. */
mneme_status pass_pack_frozen(struct pass *pass, size_t lowest_backward_layer,
                              const struct gradients *trained, mneme_error *error);
void pass_close(struct pass *pass);

/* Runs the layers: activations.output_normed [n_tokens, dim] is what the output layer reads. With a
 * continuation the batch continues the cached sequences, which grow. MNEME_FAILED when a
 * product-key score is NaN, naming the layer. */
mneme_status model_forward(struct pass *pass, const struct batch *batch,
                           const struct continuation *continuation, mneme_error *error);

/* model_forward in two parts, which meet at the first memory layer: pass_stream_at_memory and the
 * layer's ffn_normed, slots and slot_weights are what the first part leaves and the second needs.
 * Nothing before them depends on the values. For models that have a memory layer; MNEME_FAILED as
 * there. */
mneme_status model_forward_to_memory(struct pass *pass, const struct batch *batch,
                                     mneme_error *error);
mneme_status model_forward_from_memory(struct pass *pass, const struct batch *batch,
                                       mneme_error *error);

/* From one memory layer to the next above it, which there must be. */
mneme_status model_forward_to_next_memory(struct pass *pass, const struct batch *batch,
                                          mneme_error *error);

/* After a forward pass with checkpoints: makes the layer's activations again, with the same bits;
 * with less than the whole only those of its memory, from what that gets. Does nothing where they
 * are still there, or all are kept. */
void model_restore_layer(struct pass *pass, const struct batch *batch, size_t l, bool whole);

/* [n_tokens, dim] of a pass at memory layer l: the stream that the memory's output is added to. */
float *pass_stream_at_memory(const struct pass *pass, size_t l);

/* logits [n, vocab_size] of n rows of normed output. activations.logits has room for
 * activations.logits_rows of them. */
void model_logits(struct pass *pass, size_t n, const float *normed, float *logits);

/* After a forward pass: activations.losses [n_tokens], 0 where there is no target. With scale != 0,
 * each loss weighted by it: adds to the output layer's gradient where it has one, and leaves that
 * of what it read for model_backward, once per forward pass. With scale 0 `gradients` may be NULL.
 * activations.logits is written over. */
void model_loss(struct pass *pass, const struct batch *batch, float scale,
                struct gradients *gradients);

/* Number of targets that count. */
size_t batch_count_targets(const struct batch *batch);

/* The batch's losses: one ascending chain, which `sum` continues. */
float pass_add_losses(const struct pass *pass, float sum);

/* How much of a model a backward pass goes through: the layers from lowest_layer up, of which the
 * lowest, a memory layer unless it is whole, may be left at … */
enum backward_end {
    BACKWARD_WHOLE,     /* its input */
    BACKWARD_TO_MEMORY, /* its memory: gradients of the memory's parameters, none of its input */
    BACKWARD_TO_VALUES  /* its value reads */
};

struct backward_extent {
    size_t lowest_layer;
    enum backward_end end;
};

/* After model_loss with scale != 0, which has done the output layer: adds to the gradient of every
 * parameter that has one, adapters included, as far as the extent reaches; {0} is all of the model.
 * activations.d_reads (and d_expert_hidden) are left for the values' gradients; batch_reads.h tells
 * which slots they belong to. */
void model_backward(struct pass *pass, const struct batch *batch, struct gradients *gradients,
                    struct backward_extent extent);

/* Once all micro-batches are through: what is made of their sums. Adds the output's share to a tied
 * embedding's gradient, and turns those of scored sub-keys into those of sub-keys (qk_norm). */
void model_finish_gradients(const struct pass *pass, struct gradients *gradients);

/* A linear layer of a model with all that may hang on it: packed weights, a bias (or NULL), a
 * low-rank adapter. */

/* y [n, out] = x [n, in] W^T + b, and the adapter's share if there is one. */
void projection_forward(struct pass *pass, size_t n, const struct parameter *weight,
                        const struct parameter *bias, const float *x, float *y);

/* Gradients of weight, bias and adapter where they train, and dx [n, in] (overwritten, or += with
 * accumulate) unless it is NULL. */
void projection_backward(struct pass *pass, struct gradients *gradients, size_t n,
                         const struct parameter *weight, const struct parameter *bias,
                         const float *x, const float *dy, float *dx, bool accumulate);

#endif
