/* LoRA (Hu et al. 2021): AdamW on low-rank adapters of the linear layers. */

#include "interchange/adapter_file.h"
#include "method/dense.h"
#include "model/adapter.h"
#include "model/model.h"

struct lora {
    struct dense dense;
    struct adapter_set adapters;
};

static mneme_status lora_open(struct teaching *t, mneme_error *error) {
    struct lora *lora = t->state;
    const struct recipe_lora *settings = &t->recipe->finetune.lora;
    size_t tokens = teaching_batch_tokens(t), n = 0;
    struct parameter **list = NULL;
    lora->dense.extent.lowest_layer = settings->first_layer;
    TRY(teaching_open_pass(t, tokens, error));
    TRY(pass_pack(&t->pass, settings->first_layer, error));
    TRY(adapter_set_open(&lora->adapters, t->model, settings->rank, settings->alpha,
                         settings->first_layer, settings->last_layer, tokens, t->recipe->seed,
                         error));
    t->pass.adapters = &lora->adapters;
    TRY(optimizer_list_adapters(&lora->adapters, &list, &n, error));
    return dense_open(&lora->dense, t, settings->weight_decay, list, n, error);
}

static mneme_status lora_step(struct teaching *t, const struct batch *batch,
                              struct method_step *step, mneme_error *error) {
    struct lora *lora = t->state;
    return dense_step(&lora->dense, t, batch, step, error);
}

static mneme_status lora_digest(const struct teaching *t, struct digest *digest,
                                mneme_error *error) {
    const struct lora *lora = t->state;
    const struct optimizer *optimizer = &lora->dense.optimizer;
    return parameter_digest_list(optimizer->n_trained, optimizer->trained, digest, error);
}

static mneme_status lora_finish(struct teaching *t, mneme_error *error) {
    struct lora *lora = t->state;
    return adapter_set_merge(&lora->adapters, error);
}

static mneme_status lora_keep(const struct teaching *t, const char *folder, mneme_error *error) {
    const struct lora *lora = t->state;
    if (!t->recipe->finetune.lora.keep_adapter) return MNEME_OK;
    return adapter_file_save(&lora->adapters, folder, error);
}

static mneme_status lora_resume(struct teaching *t, mneme_error *error) {
    return model_read(t->base_folder, t->model, error);
}

static size_t lora_n_trainable(const struct teaching *t) {
    const struct lora *lora = t->state;
    return dense_n_trainable(&lora->dense);
}

static void lora_close(struct teaching *t) {
    struct lora *lora = t->state;
    optimizer_close(&lora->dense.optimizer);
    adapter_set_close(&lora->adapters);
}

const struct method method_lora = {.name = "lora",
                                   .title = "LoRA",
                                   .colour = "#1f77b4",
                                   .rates = offsetof(struct recipe_finetune, lora.rates),
                                   .state_size = sizeof(struct lora),
                                   .open = lora_open,
                                   .step = lora_step,
                                   .digest = lora_digest,
                                   .finish = lora_finish,
                                   .resume = lora_resume,
                                   .keep = lora_keep,
                                   .n_trainable = lora_n_trainable,
                                   .close = lora_close};
