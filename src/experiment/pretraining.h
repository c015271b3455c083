#ifndef EXPERIMENT_PRETRAINING_H
#define EXPERIMENT_PRETRAINING_H

#include "experiment/experiment.h"

/* Leaves the pretrained model in experiment->model and in the folder `base` (config.json,
 * model.safetensors, tokenizer.json). Read from there if it is done; otherwise it goes on from
 * `pretrain/checkpoint.safetensors`, which is removed at the end. `pretrain/trail.jsonl` has a
 * line per step. */
mneme_status pretraining_run(struct experiment *experiment, mneme_error *error);

/* The tokens a training pass over the recipe's batches may have. */
size_t pretraining_batch_tokens(const struct experiment *experiment);

#endif
