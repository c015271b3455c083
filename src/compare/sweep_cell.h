#ifndef COMPARE_SWEEP_CELL_H
#define COMPARE_SWEEP_CELL_H

#include "compare/sweep_plan.h"
#include "run/experiment.h"
#include "run/scored_run.h"

/* One finetuning of a sweep: a run of its own in `cells/METHOD-ID` of the run folder, where ID is
 * the beginning of the SHA-256 of all settings that decide it. Sweeps that share a run folder share
 * the cells that they have in common. */
struct sweep_cell {
    char *folder;
    struct scored_run run;
};

/* Takes the cell's settings into the experiment's recipe, which is overridden by
 * options->overrides, variant and cell, runs what the folder does not hold yet, and gives the
 * scores. Backgrounds are counted once per run folder. */
mneme_status sweep_cell_run(struct experiment *experiment, const mneme_run_options *options,
                            const struct sweep_variant *variant, const struct sweep_series *series,
                            size_t number, struct sweep_cell *cell, mneme_error *error);
void sweep_cell_free(struct sweep_cell *cell);

#endif
