#ifndef COMPARE_PLAN_H
#define COMPARE_PLAN_H

#include <stddef.h>

#include <jansson.h>

#include "base/error.h"
#include "method/method.h"
#include "recipe/recipe.h"

/* The finetunings that are to be run and compared: cells, in series, from the bases of variants.
 *
 * `mneme run` has one variant, and a series per method of the recipe with a cell per learning rate.
 * `mneme sweep` takes what the recipe's `sweep` asks for (docs/experiments.md):
 *
 *   "vary":   {KEY: [value, …], …}  recipe keys that need a pretraining of their own; every
 *                                   combination of their values is a run folder
 *   "series": [{"name", "method", "set": {KEY: value}, "grid": {KEY: [value, …]}}, …]
 *                                   in each of these, every combination of the grid's values is a
 *                                   finetuning by that method; keys are those of finetune.METHOD,
 *                                   or of finetune; `grid` may be a list of such objects
 *   "levels": [F1, …]               where the report compares the series
 */

#define PLAN_MAX_SERIES 16
#define PLAN_MAX_VARIANTS 32
#define PLAN_MAX_LEVELS 8

_Static_assert(N_METHODS <= PLAN_MAX_SERIES, "a run has a series per method");

enum plan_kind { PLAN_RUN, PLAN_SWEEP };

/* A choice of values: overrides of the recipe, and how it is called. */
struct plan_choice {
    char **overrides; /* [n_overrides] "finetune.smf.t=30" */
    size_t n_overrides;
    char *label; /* "t 30, lr 100"; "" when there is no choice */
};

struct plan_series {
    char *name;        /* in tables */
    const char *title; /* in plots */
    const struct method *method;
    struct plan_choice *cells; /* [n_cells] */
    size_t n_cells;
};

/* A run folder. Variants that differ in nothing but the seed have the same label. */
struct plan_variant {
    struct plan_choice choice; /* its label without the seed; "" when only the seed varies */
    char *folder;              /* below the folder of all: "seed-2", "n_keys-64_seed-1"; "" */
};

struct plan {
    enum plan_kind kind;
    const char *path; /* of the recipe; borrowed */
    json_t *recipe;   /* with what it extends and the caller's overrides */
    char *name;
    struct plan_variant variants[PLAN_MAX_VARIANTS];
    size_t n_variants;
    struct plan_series series[PLAN_MAX_SERIES];
    size_t n_series;
    double levels[PLAN_MAX_LEVELS];
    size_t n_levels;
};

/* Reads the plan of a recipe file. Refused with MNEME_BAD_INPUT, naming file and key, when there is
 * none or it is malformed. */
mneme_status plan_load(enum plan_kind kind, const char *path, const char *const *overrides,
                       size_t n_overrides, struct plan *plan, mneme_error *error);
/* The same of a recipe's object, which the plan takes; `path` is for messages. */
mneme_status plan_from_json(enum plan_kind kind, const char *path, json_t *recipe,
                            struct plan *plan, mneme_error *error);
void plan_free(struct plan *plan);

/* The finetuning section of the recipe of one cell: its method alone, with one learning rate. */
mneme_status plan_settings(const struct plan *plan, size_t variant, size_t series, size_t cell,
                           struct recipe_finetune *settings, mneme_error *error);

/* The caller's n overrides, then those of a variant; the list alone is to be freed. NULL without
 * memory. */
const char **plan_overrides(size_t n, const char *const *overrides,
                            const struct plan_choice *variant);

/* The number of cells in one variant. */
size_t plan_n_cells(const struct plan *plan);

#endif
