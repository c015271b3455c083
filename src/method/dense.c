#include "method/dense.h"

#include <stdlib.h>

#include "train/step.h"

mneme_status dense_open(struct dense *dense, const struct teaching *t, float weight_decay,
                        struct parameter **trained, size_t n_trained, mneme_error *error) {
    const struct recipe_pretrain *p = &t->recipe->pretrain;
    const struct adamw_settings settings = {.beta1 = p->beta1,
                                            .beta2 = p->beta2,
                                            .eps = p->eps,
                                            .weight_decay = weight_decay,
                                            .values_weight_decay = weight_decay,
                                            .clip = p->clip,
                                            .clip_values = p->clip_values};
    mneme_status status = optimizer_open(&dense->optimizer, &settings, trained, n_trained, error);
    free(trained);
    return status;
}

mneme_status dense_step(struct dense *dense, struct teaching *t, const struct batch *batch,
                        struct method_step *step, mneme_error *error) {
    struct step_result result = {0};
    mneme_status status = step_run(&t->pass, &dense->optimizer, batch, 1, dense->extent, t->lr,
                                   t->lr, NULL, &result, error);
    *step = (struct method_step){.loss = result.loss,
                                 .has_norm = true,
                                 .gradient_norm = result.gradient_norm,
                                 .diverged = result.diverged};
    return status;
}

size_t dense_n_trainable(const struct dense *dense) {
    size_t count = 0;
    for (size_t i = 0; i < dense->optimizer.n_trained; i++) {
        count += dense->optimizer.trained[i]->count;
    }
    return count;
}
