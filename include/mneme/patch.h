#ifndef MNEME_PATCH_H
#define MNEME_PATCH_H

/* Patches: what sparse memory finetuning taught a model, as a file (docs/teaching.md). */

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All of them refuse, with MNEME_BAD_INPUT and a message that names the file, what is no patch, is
 * damaged, of a newer layout, or contradicts itself. */

/* *text becomes what is in the patch: the model that it fits, its rows and size, what taught it and
 * its facts; with json as a JSON object. Free it with free(). */
MNEME_API mneme_status mneme_patch_info(const char *patch, bool json, char **text,
                                        mneme_error *error);

/* Makes the model folder `out`, which must not be there or be empty, of the model in `folder` and a
 * patch that fits it: config.json, model.safetensors, what lies beside them, and with the memory
 * its background.safetensors. It appears whole or not at all. MNEME_BAD_INPUT for a patch of
 * another model. */
MNEME_API mneme_status mneme_patch_apply(const char *folder, const char *patch, const char *out,
                                         mneme_error *error);

/* Writes to `out`, which may be the same path, the patch as it was before its last n facts were
 * taught, bit for bit. MNEME_BAD_INPUT when it has fewer. */
MNEME_API mneme_status mneme_patch_undo(const char *patch, size_t n, const char *out,
                                        mneme_error *error);

/* *text becomes how two patches of one model differ: the facts from the first other one on, rows
 * that differ or that one alone has, and the biggest change of a number. *same says whether facts
 * and rows are the same. Free *text with free(). */
MNEME_API mneme_status mneme_patch_diff(const char *left, const char *right, bool json, char **text,
                                        bool *same, mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
