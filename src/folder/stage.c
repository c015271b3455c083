#include "folder/stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/c_locale.h"
#include "folder/folder.h"

struct stage stage_pretraining(void) {
    return (struct stage){.name = "pretrain"};
}

/* Six digits, or as many more as tell the rate from all others. */
static void print_rate(char *text, size_t size, float lr) {
    struct c_locale entered = c_locale_enter();
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, size, "%.*g", digits, (double)lr);
        if (strtof(text, NULL) == lr) break;
    }
    c_locale_leave(entered);
}

struct stage stage_finetuning(const struct method *method, float lr) {
    struct stage stage = {.method = method, .lr = lr};
    char rate[24];
    print_rate(rate, sizeof rate, lr);
    snprintf(stage.name, sizeof stage.name, "%s/lr-%s", method->name, rate);
    return stage;
}

struct path stage_folder(const char *directory, const struct stage *stage) {
    return stage->method == NULL ? path_in(directory, FOLDER_PRETRAIN)
                                 : path_in(directory, FOLDER_FINETUNE "/%s", stage->name);
}

struct path stage_model_folder(const char *directory, const struct stage *stage) {
    return stage->method == NULL ? path_in(directory, FOLDER_BASE) : stage_folder(directory, stage);
}

struct stage *stage_list(const struct recipe *recipe, size_t *n) {
    struct stage *stages = malloc((1 + N_METHODS * RECIPE_MAX_VALUES) * sizeof *stages);
    *n = 0;
    if (stages == NULL) return NULL;
    stages[(*n)++] = stage_pretraining();
    for (size_t m = 0; m < N_METHODS; m++) {
        const struct recipe_rates *rates = method_rates(methods[m], &recipe->finetune);
        for (size_t i = 0; rates->enabled && i < rates->n_lr; i++) {
            stages[(*n)++] = stage_finetuning(methods[m], rates->lr[i]);
        }
    }
    return stages;
}
