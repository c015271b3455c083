#ifndef FOLDER_STAGE_H
#define FOLDER_STAGE_H

#include <stddef.h>

#include "base/path.h"
#include "method/method.h"
#include "recipe/recipe.h"

/* What a run trains, part by part: the pretraining, then each method with each of its learning
 * rates. */

#define STAGE_NAME_SIZE 48

struct stage {
    char name[STAGE_NAME_SIZE];  /* "pretrain", "smf/lr-300": unique in a run */
    const struct method *method; /* NULL: the pretraining */
    float lr;                    /* of a finetuning */
};

struct stage stage_pretraining(void);
struct stage stage_finetuning(const struct method *method, float lr);

/* The stage's folder in a run folder: "pretrain", "finetune/smf/lr-300". */
struct path stage_folder(const char *directory, const struct stage *stage);

/* The folder of the model that the stage leaves. */
struct path stage_model_folder(const char *directory, const struct stage *stage);

/* All stages of a recipe, in order; *n of them. malloc'ed, NULL without memory. */
struct stage *stage_list(const struct recipe *recipe, size_t *n);

#endif
