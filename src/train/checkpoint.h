#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include <stdint.h>

#include "model/model.h"
#include "train/optimizer.h"

/* Everything that decides the rest of a training run, in one safetensors file: the parameters by
 * name, AdamW's moments as `moment1.NAME` and `moment2.NAME`, and the integers `step` and `cursor`
 * (texts handed out). The file appears whole or not at all. */
mneme_status checkpoint_save(const char *path, const struct model *model,
                             const struct optimizer *optimizer, uint64_t cursor,
                             mneme_error *error);
mneme_status checkpoint_load(const char *path, struct model *model, struct optimizer *optimizer,
                             uint64_t *cursor, mneme_error *error);

#endif
