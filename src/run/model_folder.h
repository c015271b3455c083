#ifndef RUN_MODEL_FOLDER_H
#define RUN_MODEL_FOLDER_H

#include <stdbool.h>

#include "run/experiment.h"

/* A model folder as others read it: config.json, tokenizer.json, model.safetensors. The weights are
 * written last, so that a folder that has them is whole. */
bool model_folder_exists(const struct experiment *experiment, const char *folder);
mneme_status model_folder_save(const struct experiment *experiment, const char *folder,
                               mneme_error *error);
/* Checks model and configuration against the run folder's digests, and reads the parameters into
 * experiment->model, which must have the folder's configuration. */
mneme_status model_folder_load(struct experiment *experiment, const char *folder,
                               mneme_error *error);

/* Copies the background of the base's folder into that of the experiment's model, where there is
 * one and it fits that, too: where the finetuning changed value tables alone. */
mneme_status model_folder_hand_background(const struct experiment *experiment, const char *folder,
                                          mneme_error *error);

#endif
