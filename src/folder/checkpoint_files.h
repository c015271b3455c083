#ifndef FOLDER_CHECKPOINT_FILES_H
#define FOLDER_CHECKPOINT_FILES_H

#include <stddef.h>

#include "base/error.h"
#include "base/path.h"

/* The checkpoints in a folder: FOLDER/checkpoint-00000400.safetensors after 400 steps. */

struct path checkpoint_files_path(const char *folder, size_t step);

/* The last checkpoint not beyond `most` steps: its step, or 0 when there is none. */
mneme_status checkpoint_files_last(const char *folder, size_t most, size_t *step,
                                   mneme_error *error);

/* Removes those of fewer than `step` steps. */
mneme_status checkpoint_files_remove_before(const char *folder, size_t step, mneme_error *error);

#endif
