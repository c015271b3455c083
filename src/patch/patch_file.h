#ifndef PATCH_PATCH_FILE_H
#define PATCH_PATCH_FILE_H

#include "patch/patch.h"

/* A patch as a safetensors file with a seal (docs/teaching.md describes it):
 *
 * metadata  `mneme.patch`  version of this layout
 *           `model`        digest of the model that it fits
 *           `tables`       {"names": […], "slots": of a table, "width": of a row}
 *           `settings`     what taught it
 *           `config`       config.json of the whole model, where the patch carries the memory
 * TABLE.slots, TABLE.rows   the rows of a value table, slots ascending
 * facts                     a JSON line each, UTF-8
 * journal.ends, .slots, .before   as in struct patch
 * the memory's parameters, and those of smf/background.h, where it carries them */

#define PATCH_VERSION "1"

/* Whole or not at all. The same patch gives the same bytes. */
mneme_status patch_save(const struct patch *patch, const char *path, mneme_error *error);

/* MNEME_BAD_INPUT, naming file, tensor and cause, for a file that is no patch, of a newer version,
 * damaged, or whose parts contradict each other. */
mneme_status patch_load(struct patch *patch, const char *path, mneme_error *error);

/* Refuses, with MNEME_BAD_INPUT, a model whose digest is not the one that the patch fits. */
mneme_status patch_check_fits(const struct patch *patch, const char *path,
                              const struct digest *model, mneme_error *error);

#endif
