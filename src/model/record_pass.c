#include "model/record_pass.h"

/* [n, width] of layer l. */
static void record(const struct workspace *w, size_t l, const char *name, size_t n, size_t width,
                   const float *data) {
    recorder_add(w->recorder, TENSOR_F32, n, width, data, "forward.layers.%zu.%s", l, name);
}

static void record_feed_forward(const struct model *model, const struct workspace *w, size_t l,
                                size_t n) {
    const struct layer *layer = &model->layers[l];
    const struct layer_activations *a = &w->layers[l];
    size_t hidden = layer->w1->shape[0];
    record(w, l, "gate", n, hidden, a->gate);
    record(w, l, "up", n, hidden, a->up);
    record(w, l, "hidden", n, hidden, a->hidden);
}

static void record_memory(const struct model *model, const struct workspace *w, size_t l,
                          size_t n) {
    const struct memory_config *config = &model->config.memory;
    const struct layer_activations *a = &w->layers[l];
    size_t reads = config->heads * config->knn;
    record(w, l, "query", n, config->heads * config->k_dim, a->query);
    recorder_add(w->recorder, TENSOR_I32, n, reads, a->reads.slots, "forward.layers.%zu.slots", l);
    record(w, l, "slot_weights", n, reads, a->reads.weights);
    if (config->peer_variant) {
        record(w, l, "expert_hidden", n, reads, a->expert_hidden);
        record(w, l, "expert_weights", n, reads, a->expert_weights);
    }
    record(w, l, "read", n, config->v_dim, a->read);
    if (config->swilu_projection) {
        record(w, l, "swilu", n, config->v_dim, a->swilu);
        record(w, l, "gated", n, config->v_dim, a->gated);
    }
    if (!config->gated) return;
    record(w, l, "gating", n, 1, a->gating);
    record(w, l, "ungated", n, model->config.dim, a->ungated);
}

void record_forward(const struct model *model, const struct workspace *w,
                    const struct batch *batch) {
    if (w->recorder == NULL) return;
    const struct model_config *config = &model->config;
    size_t n = batch->n_tokens, dim = config->dim, head_dim = model_head_dim(config);
    for (size_t l = 0; l < config->n_layers; l++) {
        const struct layer_activations *a = &w->layers[l];
        record(w, l, "input", n, dim, a->input);
        record(w, l, "attention_norm", n, dim, a->normed);
        record(w, l, "q", n, config->n_heads * head_dim, a->q);
        record(w, l, "k", n, config->n_kv_heads * head_dim, a->k);
        record(w, l, "v", n, config->n_kv_heads * head_dim, a->v);
        record(w, l, "attention", n, config->n_heads * head_dim, a->attention);
        record(w, l, "after_attention", n, dim, a->middle);
        record(w, l, "ffn_norm", n, dim, a->ffn_normed);
        if (model->layers[l].keys == NULL) {
            record_feed_forward(model, w, l, n);
        } else {
            record_memory(model, w, l, n);
        }
    }
    recorder_add(w->recorder, TENSOR_F32, n, dim, w->output, "forward.output");
    recorder_add(w->recorder, TENSOR_F32, n, dim, w->output_normed, "forward.output_norm");
}

void record_loss(const struct model *model, const struct workspace *w, const struct batch *batch) {
    if (w->recorder == NULL) return;
    size_t n = batch->n_tokens;
    recorder_add(w->recorder, TENSOR_F32, n, 1, w->losses, "forward.losses");
    recorder_add(w->recorder, TENSOR_F32, n, model->config.vocab_size, w->logits,
                 "backward.logits");
}

void record_parameters(struct recorder *recorder, enum record_kind kind, size_t n,
                       struct parameter *const *parameters, bool reversed) {
    if (recorder == NULL) return;
    for (size_t i = 0; i < n; i++) {
        const struct parameter *p = parameters[reversed ? n - 1 - i : i];
        const float *data = kind == RECORD_GRADIENT ? p->gradient : p->data;
        if (data == NULL) continue;
        size_t rows = p->rank == 2 ? p->shape[0] : 1;
        recorder_add(recorder, TENSOR_F32, rows, p->count / rows, data, "%s.%s",
                     kind == RECORD_GRADIENT ? "gradient" : "weight", p->name);
    }
}
