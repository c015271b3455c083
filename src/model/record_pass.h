#ifndef MODEL_RECORD_PASS_H
#define MODEL_RECORD_PASS_H

#include "model/pass.h"

/* Into pass->recorder, where there is one (docs/reproducibility.md has the names): the weights that
 * a forward pass is about to use, but for value tables, of which the rows that it reads come with
 * their layer; and what the last forward pass left, layer by layer. */
void record_parameters(const struct pass *pass);
void record_forward(struct pass *pass, const struct batch *batch);

/* What model_loss records: room for the logits' gradients [n_tokens, vocab_size], zeroed, or NULL
 * where nothing is recorded; a block's rows of them, from activations.logits; and they and the
 * losses. The room is freed. */
float *record_logits_begin(const struct pass *pass);
void record_logits_block(const struct pass *pass, size_t n, float *gradients);
void record_loss(const struct pass *pass, float *gradients);

/* Gradients of the listed parameters that have one, the last first, and their weights. */
void record_gradients(struct recorder *recorder, const struct gradients *gradients, size_t n,
                      struct parameter *const *parameters);
void record_weights(struct recorder *recorder, size_t n, struct parameter *const *parameters);

#endif
