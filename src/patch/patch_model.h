#ifndef PATCH_PATCH_MODEL_H
#define PATCH_PATCH_MODEL_H

#include "generate/language_model.h"
#include "patch/patch.h"

/* A patch on the model that it fits. */

/* The digest of the folder's model as a patch of it names it, which is the model's own: of all
 * parameters but those that the patch carries and its value tables, where it carries a memory. */
mneme_status patch_base_digest(const struct model *model, bool carries_memory,
                               struct digest *digest, mneme_error *error);

/* Opens the model in a folder as the patch of that path makes it; a NULL path is no patch. `kept`
 * becomes the patch, or NULL: it is not needed. MNEME_BAD_INPUT for a patch of another model. */
mneme_status patch_model_load(const char *folder, const char *path, struct model *model,
                              struct patch *kept, mneme_error *error);

/* A whole model folder with a patch, or with none: language_model_open. */
mneme_status patch_language_open(struct language_model *language, const char *folder,
                                 const char *path, mneme_error *error);

/* Makes the folder `out` with the model in `folder` as the patch makes it, and the files beside it.
 */
mneme_status patch_model_merge(const char *folder, const char *path, const char *out,
                               mneme_error *error);

#endif
