#include "smf/background_counter.h"

mneme_status background_counter_open(struct background_counter *counter, const struct model *model,
                                     size_t max_tokens, mneme_error *error) {
    *counter = (struct background_counter){0};
    TRY(pass_open(&counter->pass, model, max_tokens, true, error));
    TRY(pass_pack(&counter->pass, model->config.n_layers, error));
    return batch_reads_open(&counter->reads, model, max_tokens, error);
}

void background_counter_close(struct background_counter *counter) {
    row_scatter_close(&counter->reads);
    pass_close(&counter->pass);
}

mneme_status background_counter_add(struct background_counter *counter, const struct batch *batch,
                                    struct background *background, mneme_error *error) {
    TRY(model_forward(&counter->pass, batch, NULL, error));
    batch_reads_sort(&counter->reads, &counter->pass);
    background_add(background, batch_reads_slots(&counter->reads));
    return MNEME_OK;
}
