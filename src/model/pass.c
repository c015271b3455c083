#include "model/pass.h"

#include "nn/cross_entropy.h"

mneme_status pass_open(struct pass *pass, const struct model *model, size_t max_tokens,
                       bool training, mneme_error *error) {
    *pass = (struct pass){.model = model, .max_tokens = max_tokens, .training = training};
    const struct model_config *config = &model->config;
    mneme_status status = activations_open(&pass->activations, config, max_tokens, training, error);
    THEN(scratch_open(&pass->scratch, config, max_tokens, training, error));
    if (status != MNEME_OK) pass_close(pass);
    return status;
}

mneme_status pass_pack(struct pass *pass, size_t lowest_backward_layer, mneme_error *error) {
    return packed_weights_open(&pass->packed, pass->model, lowest_backward_layer, error);
}

void pass_close(struct pass *pass) {
    packed_weights_close(&pass->packed);
    scratch_close(&pass->scratch);
    activations_close(&pass->activations);
    *pass = (struct pass){0};
}

size_t batch_count_targets(const struct batch *batch) {
    size_t count = 0;
    for (size_t i = 0; i < batch->n_tokens; i++) {
        count += batch->targets[i] != CROSS_ENTROPY_IGNORE;
    }
    return count;
}

float pass_add_losses(const struct pass *pass, float sum) {
    for (size_t i = 0; i < pass->n_tokens; i++) sum += pass->activations.losses[i];
    return sum;
}
