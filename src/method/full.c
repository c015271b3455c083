/* Full finetuning: AdamW on all parameters, or on those of the memory layers alone. */

#include "method/dense.h"

static mneme_status full_open(struct teaching *t, mneme_error *error) {
    struct dense *dense = t->state;
    const struct recipe_full *settings = &t->recipe->finetune.full;
    struct parameter **list = NULL;
    size_t n = 0;
    TRY(teaching_open_pass(t, teaching_batch_tokens(t), error));
    if (settings->memory_only) {
        dense->extent =
            (struct backward_extent){t->model->config.memory.layers[0], BACKWARD_TO_MEMORY};
        TRY(optimizer_list_memory(t->model, &list, &n, error));
    } else {
        TRY(optimizer_list_model(t->model, &list, &n, error));
    }
    return dense_open(dense, t, settings->weight_decay, list, n, error);
}

static mneme_status full_step(struct teaching *t, const struct batch *batch,
                              struct method_step *step, mneme_error *error) {
    return dense_step(t->state, t, batch, step, error);
}

static size_t full_n_trainable(const struct teaching *t) {
    return dense_n_trainable(t->state);
}

static void full_close(struct teaching *t) {
    struct dense *dense = t->state;
    optimizer_close(&dense->optimizer);
}

const struct method method_full = {.name = "full",
                                   .title = "full finetuning",
                                   .colour = "#d62728",
                                   .rates = offsetof(struct recipe_finetune, full.rates),
                                   .state_size = sizeof(struct dense),
                                   .open = full_open,
                                   .step = full_step,
                                   .n_trainable = full_n_trainable,
                                   .close = full_close};
