#ifndef COMPARE_CELL_FOLDER_H
#define COMPARE_CELL_FOLDER_H

#include <jansson.h>

#include "base/error.h"
#include "base/path.h"
#include "run/experiment.h"

/* Whose a finetuning's folder is. Its cell.json holds the settings that decide the finetuning,
 * given the base; their ID is the beginning of their SHA-256. In a sweep the folder's name has the
 * ID. In a run it is METHOD/lr-RATE, whatever the other settings are: when they change, the old
 * folder moves to METHOD/lr-RATE-ID, and comes back with the old settings. */

/* The folder in `cells/` of a sweep's cell. */
mneme_status cell_folder_of_sweep(const char *directory, const char *method, const json_t *settings,
                                  struct path *folder, mneme_error *error);

/* Makes the folder, with its cell.json. One that holds other settings is refused … */
mneme_status cell_folder_sign(const char *directory, const char *folder, const json_t *settings,
                              mneme_error *error);
/* … or, of a run, moved aside. The run folder `directory` keeps the digests. */
mneme_status cell_folder_take(const char *directory, const char *folder, const json_t *settings,
                              mneme_error *error);

/* Makes the run folder that of the experiment's recipe, which has the same base: finetunings by the
 * recipe that it was of get their cell.json before they are forgotten. */
mneme_status cell_folders_adopt(const struct experiment *experiment, mneme_error *error);

#endif
