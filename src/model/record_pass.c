#include "model/record_pass.h"

/* The layer's recorded activations in the order of their table. */
static void record_layer(const struct pass *pass, size_t l) {
    const struct model_config *config = &pass->model->config;
    const bool memory = model_layer_has_memory(config, l);
    struct activation_line lines[LAYER_ACTIVATIONS];
    layer_activation_lines(config, !memory, memory, lines);
    for (size_t i = 0; i < LAYER_ACTIVATIONS; i++) {
        if (!lines[i].exists || lines[i].recorded == NULL) continue;
        recorder_add(pass->recorder, lines[i].type, pass->n_tokens, lines[i].width,
                     pass->activations.layers[l].arrays[i], "forward.layers.%zu.%s", l,
                     lines[i].recorded);
    }
}

void record_forward(const struct pass *pass) {
    if (pass->recorder == NULL) return;
    const struct model_config *config = &pass->model->config;
    const struct activations *a = &pass->activations;
    for (size_t l = 0; l < config->n_layers; l++) record_layer(pass, l);
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, config->dim, a->output,
                 "forward.output");
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, config->dim, a->output_normed,
                 "forward.output_norm");
}

void record_loss(const struct pass *pass) {
    const struct activations *a = &pass->activations;
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, 1, a->losses, "forward.losses");
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, pass->model->config.vocab_size,
                 a->logits, "backward.logits");
}

static void record(struct recorder *recorder, const struct parameter *p, const char *kind,
                   const float *data) {
    size_t rows = p->rank == 2 ? p->shape[0] : 1;
    recorder_add(recorder, TENSOR_F32, rows, p->count / rows, data, "%s.%s", kind, p->name);
}

void record_gradients(struct recorder *recorder, const struct gradients *gradients, size_t n,
                      struct parameter *const *parameters) {
    for (size_t i = n; i-- > 0;) {
        const float *gradient = gradient_of(gradients, parameters[i]);
        if (gradient != NULL) record(recorder, parameters[i], "gradient", gradient);
    }
}

void record_weights(struct recorder *recorder, size_t n, struct parameter *const *parameters) {
    for (size_t i = 0; i < n; i++) record(recorder, parameters[i], "weight", parameters[i]->data);
}
