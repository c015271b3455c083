#ifndef MNEME_SWEEP_H
#define MNEME_SWEEP_H

/* Sweeps: many finetunings of one base model, compared by what they learned and forgot. */

#include <mneme/error.h>
#include <mneme/run.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the `sweep` of a recipe (docs/experiments.md): every variant's pretraining in a run folder
 * of its own below options->directory, and from there every cell of its series' grids. What the
 * folders already have is skipped; a cell that was killed starts again. options->recipe is
 * required, options->expected must be NULL.
 * Leaves sweep.md, sweep.json, sweep.csv and the plots sweep.svg, .png and, when the cells were
 * evaluated along the stream, stream.svg, .png. *report becomes the comparison as text for a
 * terminal; free it with free(). */
MNEME_API mneme_status mneme_sweep(const mneme_run_options *options, char **report,
                                   mneme_error *error);

/* What a sweep would take, stage by stage, as if nothing of it were done: memory, disk, operations,
 * and an estimate of the time from the machine's speed, which is measured in a second. Nothing is
 * computed, and no file is written. *plan becomes a table for a terminal, or JSON; free it with
 * free(). */
MNEME_API mneme_status mneme_sweep_plan(const mneme_run_options *options, bool as_json, char **plan,
                                        mneme_error *error);

#ifdef __cplusplus
}
#endif

#endif
