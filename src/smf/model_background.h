#ifndef SMF_MODEL_BACKGROUND_H
#define SMF_MODEL_BACKGROUND_H

#include <stdbool.h>

#include "model/model.h"
#include "smf/background.h"

/* The background in a model folder, with which the model can be taught without the text that it was
 * counted over: background.safetensors, sealed, with the metadata `mneme.routing` and `knn`.
 *
 * Which slots a token reads depends on every parameter up to the highest memory layer, its queries
 * and keys among them, but for the value tables. (The tables of lower memory layers have a part in
 * what the higher ones read, too, but the background stays a good one when SMF changes a few of
 * their rows, so that a model that was taught can be taught more.) `mneme.routing` is the digest of
 * these parameters, by the rules in <mneme/digest.h>. */

#define MODEL_BACKGROUND_FILE "background.safetensors"

/* Slots of all tables of a model. */
size_t model_background_slots(const struct model *model);

/* Of a model with a memory. */
mneme_status model_background_routing(const struct model *model, struct digest *digest,
                                      mneme_error *error);

/* Whether the folder has one. */
bool model_background_exists(const char *folder);

/* Writes the background of this model, counted with these parameters, into its folder. */
mneme_status model_background_save(const struct background *background, const struct model *model,
                                   const char *folder, mneme_error *error);

/* Opens *background from the folder, which has one. MNEME_BAD_INPUT, naming the file, where it is
 * damaged or does not fit: was counted for another number of slots or of slots a token reads, with
 * other parameters below the memory, or other queries or keys, or the model has no memory. */
mneme_status model_background_load(struct background *background, const struct model *model,
                                   const char *folder, mneme_error *error);

#endif
