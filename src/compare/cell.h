#ifndef COMPARE_CELL_H
#define COMPARE_CELL_H

#include "compare/plan.h"
#include "run/experiment.h"
#include "run/scored_run.h"

/* One finetuning of a plan, in a folder of its own in the run folder. Those of a run are
 * `finetune/METHOD/lr-RATE`, those of a sweep `cells/METHOD-ID`, where ID is the beginning of the
 * SHA-256 of all settings that decide it: sweeps that share a run folder share the cells that they
 * have in common. */
struct cell {
    struct recipe_finetune settings;
    struct stage stage;
    struct path folder;
    struct scored_run run;
};

/* Settings and stage; without a file of the run folder. */
mneme_status cell_open(struct cell *cell, const struct plan *plan, size_t variant, size_t series,
                       size_t number, mneme_error *error);

/* Takes the cell's settings into the experiment's recipe, and finds its folder, which is only read.
 */
mneme_status cell_find(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                       mneme_error *error);

/* Takes the cell's settings into the experiment's recipe, and makes its folder its own
 * (cell_folder.h). */
mneme_status cell_enter(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                        mneme_error *error);

/* After cell_enter: runs what the folder does not hold yet, and takes the scores. */
mneme_status cell_run(struct cell *cell, const struct plan *plan, struct experiment *experiment,
                      const struct background *background, mneme_error *error);

#endif
