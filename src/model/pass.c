#include "model/pass.h"

#include "nn/cross_entropy.h"
#include "nn/linear.h"

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

void projection_forward(struct pass *pass, size_t n, const struct parameter *weight,
                        const struct parameter *bias, const float *x, float *y) {
    struct matmul_scratch *matmul = &pass->scratch.matmul;
    size_t in = weight->shape[1], out = weight->shape[0];
    linear_forward(matmul, n, in, out, x, weight->data,
                   packed_weights_of(&pass->packed, weight).forward,
                   bias == NULL ? NULL : bias->data, y);
    struct adapter *adapter = adapter_of(pass->adapters, weight);
    if (adapter == NULL) return;
    lora_forward(matmul, n, in, out, adapter->a.shape[0], adapter->scale, x, adapter->a.data,
                 adapter->b.data, adapter->hidden, y);
}

void projection_backward(struct pass *pass, struct gradients *gradients, size_t n,
                         const struct parameter *weight, const struct parameter *bias,
                         const float *x, const float *dy, float *dx, bool accumulate) {
    struct matmul_scratch *matmul = &pass->scratch.matmul;
    size_t in = weight->shape[1], out = weight->shape[0];
    float *d_weight = gradient_of(gradients, weight);
    float *d_bias = bias == NULL ? NULL : gradient_of(gradients, bias);
    if (d_weight != NULL) linear_backward_weight(matmul, n, in, out, x, dy, d_weight);
    if (d_bias != NULL) linear_backward_bias(n, out, dy, d_bias);
    if (dx != NULL) {
        linear_backward_input(matmul, n, in, out, dy, weight->data,
                              packed_weights_of(&pass->packed, weight).backward, dx, accumulate);
    }
    struct adapter *adapter = adapter_of(pass->adapters, weight);
    if (adapter == NULL) return;
    lora_backward(matmul, n, in, out, adapter->a.shape[0], adapter->scale, x, adapter->a.data,
                  adapter->b.data, adapter->hidden, dy, pass->adapters->dhidden,
                  gradient_of(gradients, &adapter->a), gradient_of(gradients, &adapter->b), dx);
}
