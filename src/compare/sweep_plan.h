#ifndef COMPARE_SWEEP_PLAN_H
#define COMPARE_SWEEP_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "recipe/recipe.h"
#include "run/stage.h"

/* What a recipe's `sweep` asks for (docs/experiments.md):
 *
 *   "vary":   {KEY: [value, …], …}  recipe keys that need a pretraining of their own; every
 *                                   combination of their values is a run folder
 *   "series": [{"name", "method", "set": {KEY: value}, "grid": {KEY: [value, …]}}, …]
 *                                   in each of these, every combination of the grid's values is a
 *                                   finetuning by that method; keys are those of finetune.METHOD,
 *                                   or of finetune; `grid` may be a list of such objects
 *   "levels": [F1, …]               where the report compares the series
 */

#define SWEEP_MAX_SERIES 16
#define SWEEP_MAX_VARIANTS 32
#define SWEEP_MAX_LEVELS 8

/* A choice of values: overrides for recipe_load, and how it is called. */
struct sweep_choice {
    char **overrides; /* [n_overrides] "finetune.smf.t=30" */
    size_t n_overrides;
    char *label; /* "t 30, lr 100"; "" when there is no choice */
};

struct sweep_series {
    char *name;
    enum method method;
    struct sweep_choice *cells; /* [n_cells] */
    size_t n_cells;
};

/* A run folder. Variants that differ in nothing but the seed have the same label. */
struct sweep_variant {
    struct sweep_choice choice; /* its label without the seed; "" when only the seed varies */
    char *folder;               /* below the sweep's folder: "seed-2", "n_keys-64_seed-1"; "" */
};

struct sweep_plan {
    char *name;
    struct sweep_variant variants[SWEEP_MAX_VARIANTS];
    size_t n_variants;
    struct sweep_series series[SWEEP_MAX_SERIES];
    size_t n_series;
    double levels[SWEEP_MAX_LEVELS];
    size_t n_levels;
};

/* Reads the plan of a recipe file. Refused with MNEME_BAD_INPUT, naming file and key, when there is
 * none or it is malformed. */
mneme_status sweep_plan_load(const char *path, const char *const *overrides, size_t n_overrides,
                             struct sweep_plan *plan, mneme_error *error);
void sweep_plan_free(struct sweep_plan *plan);

#endif
