#ifndef RECIPE_BASE_FOLDER_H
#define RECIPE_BASE_FOLDER_H

#include <jansson.h>

#include "base/json_read.h"
#include "recipe/recipe.h"

/* A recipe's `base`: the folder of a model that is there already (config.json, model.safetensors,
 * tokenizer.json), which a run starts from in place of weights drawn at random. */

/* What the folder holds, as members of input_sha256: `base` is the model's digest
 * (<mneme/digest.h>), `base/config.json` and `base/tokenizer.json` are those of the files. */
mneme_status base_folder_digest(const char *folder, json_t *inputs, mneme_error *error);

/* What a recipe with a base has of its model: all but the memory is the base's. `root` is the
 * recipe as it was written. Begin before the keys are read, from the base's folder, or "" where
 * only the recipe's own keys matter; end after it. */
mneme_status base_folder_begin(const char *folder, struct model_config *config,
                               struct recipe *recipe, mneme_error *error);
mneme_status base_folder_end(const struct json_place *root, const struct model_config *config,
                             struct recipe *recipe, mneme_error *error);

#endif
