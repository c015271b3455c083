#include "smf/background_counter.h"

mneme_status background_counter_open(struct background_counter *counter, const struct model *model,
                                     size_t max_tokens, mneme_error *error) {
    *counter = (struct background_counter){0};
    /* In training every layer keeps its reads; nothing else of it is needed. */
    TRY(pass_open_training(&counter->pass, model, max_tokens, true, error));
    TRY(pass_pack(&counter->pass, model->config.n_layers, error));
    return batch_reads_open(&counter->reads, model, max_tokens, error);
}

void background_counter_close(struct background_counter *counter) {
    row_scatter_close(&counter->reads);
    pass_close(&counter->pass);
}

mneme_status background_counter_add(struct background_counter *counter, const struct batch *batch,
                                    struct background *background, mneme_error *error) {
    struct pass *pass = &counter->pass;
    const struct memory_config *memory = &pass->model->config.memory;
    TRY(model_forward_to_memory(pass, batch, error));
    for (size_t i = 1; i < memory->n_layers; i++) {
        TRY(model_forward_to_next_memory(pass, batch, error));
    }
    batch_reads_sort(&counter->reads, pass);
    background_add(background, batch_reads_slots(&counter->reads));
    return MNEME_OK;
}
