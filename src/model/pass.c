#include "model/pass.h"

#include "nn/cross_entropy.h"
#include "nn/linear.h"

static mneme_status make_room(struct pass *pass, const struct pass_size *size, bool cached,
                              mneme_error *error) {
    const struct model_config *config = &pass->model->config;
    const bool training = pass->training;
    pass->max_tokens = size->tokens;
    pass->max_positions = size->positions;
    pass->checkpoints = training && size->checkpoints;
    pass->first_kept = size->first_kept;
    TRY(activations_open(&pass->activations, config, size, training, error));
    return scratch_open(&pass->scratch, config, size, cached, training, error);
}

static void close_room(struct pass *pass) {
    scratch_close(&pass->scratch);
    activations_close(&pass->activations);
    pass->max_tokens = pass->max_positions = 0;
    pass->stage = PASS_NOTHING;
}

/* Room for more logits than so many floats is not worth it: the output layer's weights are read
 * once for every block of them. A block has so many tokens at least. */
#define LOGITS_ROOM ((size_t)1 << 24)
#define LEAST_LOGITS 128

/* Logits that a pass over so many tokens makes at a time. */
static size_t logits_at_a_time(const struct model_config *config, size_t max_tokens) {
    size_t rows = LOGITS_ROOM / config->vocab_size;
    if (rows < LEAST_LOGITS) rows = LEAST_LOGITS;
    return max_tokens < rows ? max_tokens : rows;
}

/* For sequences of any length. */
static struct pass_size size_for(const struct model *model, size_t max_tokens, size_t logits) {
    size_t longest = model->config.max_seq_len;
    return (struct pass_size){.tokens = max_tokens,
                              .positions = max_tokens < longest ? max_tokens : longest,
                              .logits = logits};
}

mneme_status pass_open_sized(struct pass *pass, const struct model *model,
                             const struct pass_size *size, bool training, mneme_error *error) {
    *pass = (struct pass){.model = model, .training = training};
    mneme_status status = make_room(pass, size, false, error);
    if (status != MNEME_OK) pass_close(pass);
    return status;
}

mneme_status pass_open(struct pass *pass, const struct model *model, size_t max_tokens,
                       bool training, mneme_error *error) {
    const struct pass_size size =
        size_for(model, max_tokens, logits_at_a_time(&model->config, max_tokens));
    return pass_open_sized(pass, model, &size, training, error);
}

mneme_status pass_open_training(struct pass *pass, const struct model *model, size_t max_tokens,
                                bool checkpoints, mneme_error *error) {
    struct pass_size size =
        size_for(model, max_tokens, logits_at_a_time(&model->config, max_tokens));
    size.checkpoints = checkpoints;
    return pass_open_sized(pass, model, &size, true, error);
}

mneme_status pass_open_above(struct pass *pass, const struct model *model, size_t max_tokens,
                             size_t first_layer, mneme_error *error) {
    struct pass_size size =
        size_for(model, max_tokens, logits_at_a_time(&model->config, max_tokens));
    size.first_kept = first_layer;
    return pass_open_sized(pass, model, &size, true, error);
}

mneme_status pass_open_scoring(struct pass *pass, const struct model *model, size_t max_tokens,
                               mneme_error *error) {
    const struct pass_size size = size_for(model, max_tokens, 0);
    return pass_open_sized(pass, model, &size, false, error);
}

void pass_open_cached(struct pass *pass, const struct model *model) {
    *pass = (struct pass){.model = model};
}

mneme_status pass_resize(struct pass *pass, const struct pass_size *size, mneme_error *error) {
    close_room(pass);
    mneme_status status = make_room(pass, size, true, error);
    if (status != MNEME_OK) close_room(pass);
    return status;
}

mneme_status pass_pack(struct pass *pass, size_t lowest_backward_layer, mneme_error *error) {
    return pass_pack_frozen(pass, lowest_backward_layer, NULL, error);
}

mneme_status pass_pack_frozen(struct pass *pass, size_t lowest_backward_layer,
                              const struct gradients *trained, mneme_error *error) {
    const struct packing packing = {pass->first_kept, lowest_backward_layer, trained};
    return packed_weights_open(&pass->packed, pass->model, &packing, error);
}

void pass_close(struct pass *pass) {
    packed_weights_close(&pass->packed);
    close_room(pass);
    *pass = (struct pass){0};
}

float *pass_stream_at_memory(const struct pass *pass, size_t l) {
    return pass->model->layers[l].memory_scale == NULL ? pass->activations.layers[l].middle
                                                       : pass->activations.output;
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
    linear_forward(matmul, n, in, out, x, parameter_stored(weight),
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
        linear_backward_input(matmul, n, in, out, dy, parameter_stored(weight),
                              packed_weights_of(&pass->packed, weight).backward, dx, accumulate);
    }
    struct adapter *adapter = adapter_of(pass->adapters, weight);
    if (adapter == NULL) return;
    lora_backward(matmul, n, in, out, adapter->a.shape[0], adapter->scale, x, adapter->a.data,
                  adapter->b.data, adapter->hidden, dy, pass->adapters->dhidden,
                  gradient_of(gradients, &adapter->a), gradient_of(gradients, &adapter->b), dx);
}
