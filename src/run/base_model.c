#include "run/base_model.h"

#include "smf/memory_from_data.h"

static void tell(void *user, size_t tokens, size_t n_tokens) {
    experiment_progress(user, "keys from text", "tokens", tokens, n_tokens, tokens, NULL);
}

mneme_status base_model_read(struct experiment *e, mneme_error *error) {
    if (e->recipe.base == NULL) {
        model_initialize(&e->model, e->recipe.seed);
        return MNEME_OK;
    }
    model_initialize_memory(&e->model, e->recipe.seed);
    return model_read_base(e->recipe.base, &e->model, error);
}

mneme_status base_model_begin(struct experiment *e, mneme_error *error) {
    const struct memory_config *memory = &e->recipe.model.memory;
    const struct memory_data_settings settings = {.n_tokens = MEMORY_DATA_TOKENS,
                                                  .seed = e->recipe.seed,
                                                  .sharpness = memory->sharpness,
                                                  .packed = &e->text,
                                                  .common = &e->common.texts,
                                                  .progress = tell,
                                                  .user = e};
    TRY(base_model_read(e, error));
    if (memory->n_layers == 0 || memory->start == MEMORY_DRAWN) return MNEME_OK;
    return memory_from_data(&e->model, &e->pretraining, &settings, error);
}
