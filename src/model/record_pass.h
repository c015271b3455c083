#ifndef MODEL_RECORD_PASS_H
#define MODEL_RECORD_PASS_H

#include "model/pass.h"

/* Into pass->recorder, where there is one (docs/reproducibility.md has the names): the weights that
 * a forward pass is about to use, but for value tables, of which the rows that it reads come with
 * their layer; what the last forward pass left, layer by layer; and after model_loss the losses
 * and the logits' gradients. */
void record_parameters(const struct pass *pass);
void record_forward(struct pass *pass);
void record_loss(const struct pass *pass);

/* Gradients of the listed parameters that have one, the last first, and their weights. */
void record_gradients(struct recorder *recorder, const struct gradients *gradients, size_t n,
                      struct parameter *const *parameters);
void record_weights(struct recorder *recorder, size_t n, struct parameter *const *parameters);

#endif
