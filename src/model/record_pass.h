#ifndef MODEL_RECORD_PASS_H
#define MODEL_RECORD_PASS_H

#include "model/pass.h"

/* Into workspace->recorder, where there is one: what the last forward pass left in the workspace,
 * layer by layer, and after model_loss the losses and the logits' gradients. */
void record_forward(const struct model *model, const struct workspace *workspace,
                    const struct batch *batch);
void record_loss(const struct model *model, const struct workspace *workspace,
                 const struct batch *batch);

/* One array of each listed parameter under "KIND.NAME"; the last first when `reversed`. */
enum record_kind { RECORD_GRADIENT, RECORD_WEIGHT };
void record_parameters(struct recorder *recorder, enum record_kind kind, size_t n,
                       struct parameter *const *parameters, bool reversed);

#endif
