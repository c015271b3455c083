#ifndef RUN_STAGE_H
#define RUN_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "recipe/recipe.h"

/* What a run trains, part by part: the pretraining, then each method with each learning rate of
 * its sweep. */

enum method { METHOD_FULL, METHOD_LORA, METHOD_SMF, METHOD_COUNT };

/* "full", "lora", "smf" */
const char *method_name(enum method method);
const struct recipe_rates *method_recipe(const struct recipe *recipe, enum method method);

#define STAGE_NAME_SIZE 48

struct stage {
    char name[STAGE_NAME_SIZE]; /* "pretrain", "smf/lr-300": unique in a run */
    bool is_pretraining;
    enum method method; /* of a finetuning, with its learning rate */
    float lr;
};

struct stage stage_pretraining(void);
struct stage stage_finetuning(enum method method, float lr);

/* The stage's folder in a run folder: "pretrain", "finetune/smf/lr-300"; malloc'ed. */
char *stage_folder(const char *directory, const struct stage *stage);

/* All stages of a recipe, in order; *n of them. malloc'ed, NULL without memory. */
struct stage *stage_list(const struct recipe *recipe, size_t *n);

#endif
