#include "run/stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/path.h"

const char *method_name(enum method method) {
    static const char *const names[METHOD_COUNT] = {"full", "lora", "smf"};
    return names[method];
}

const struct recipe_rates *method_recipe(const struct recipe *recipe, enum method method) {
    const struct recipe_finetune *finetune = &recipe->finetune;
    return method == METHOD_FULL   ? &finetune->full.rates
           : method == METHOD_LORA ? &finetune->lora.rates
                                   : &finetune->smf.rates;
}

struct stage stage_pretraining(void) {
    return (struct stage){.name = "pretrain", .is_pretraining = true};
}

struct stage stage_finetuning(enum method method, float lr) {
    struct stage stage = {.method = method, .lr = lr};
    snprintf(stage.name, sizeof stage.name, "%s/lr-%.6g", method_name(method), (double)lr);
    return stage;
}

char *stage_folder(const char *directory, const struct stage *stage) {
    char name[STAGE_NAME_SIZE + 16];
    snprintf(name, sizeof name, "%s%s", stage->is_pretraining ? "" : "finetune/", stage->name);
    return path_join(directory, name);
}

struct stage *stage_list(const struct recipe *recipe, size_t *n) {
    struct stage *stages = malloc((1 + METHOD_COUNT * RECIPE_MAX_VALUES) * sizeof *stages);
    *n = 0;
    if (stages == NULL) return NULL;
    stages[(*n)++] = stage_pretraining();
    for (enum method method = METHOD_FULL; method < METHOD_COUNT; method++) {
        const struct recipe_rates *rates = method_recipe(recipe, method);
        for (size_t i = 0; rates->enabled && i < rates->n_lr; i++) {
            stages[(*n)++] = stage_finetuning(method, rates->lr[i]);
        }
    }
    return stages;
}
