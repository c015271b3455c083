#include "budget/model_work.h"

static bool is_bias_of_memory(const struct model *model, const struct parameter *p) {
    return p == model->layers[p->layer].query_bias;
}

/* The count that the parameter belongs to. */
static size_t *part_of(const struct model *model, const struct parameter *p,
                       struct model_parts *parts) {
    const struct layer *layer = &model->layers[p->layer];
    if (p == model->embedding) return &parts->embedding;
    if (p == model->output) return &parts->output;
    if (p == model->norm || p == layer->attention_norm || p == layer->ffn_norm) {
        return &parts->norms;
    }
    if (p->kind != PARAMETER_COMMON) return &parts->memory_values;
    if ((p->roles & ROLE_MEMORY) != 0) {
        const bool looks_up = p == layer->query_weight || is_bias_of_memory(model, p) ||
                              p == layer->keys || p == layer->query_norm || p == layer->key_norm;
        return looks_up ? &parts->memory_keys : &parts->memory_other;
    }
    const bool is_ffn = p == layer->w1 || p == layer->w2 || p == layer->w3 || p == layer->w1_bias ||
                        p == layer->w2_bias || p == layer->w3_bias;
    return is_ffn ? &parts->ffn : &parts->attention;
}

struct model_parts model_parts(const struct model *model) {
    struct model_parts parts = {0};
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        *part_of(model, p, &parts) += p->count;
    }
    return parts;
}

/* Weights in the layers from `first` on that every token is multiplied with. */
static double multiplied(const struct model *model, size_t first) {
    double count = 0.0;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if ((p->roles & (ROLE_LINEAR | ROLE_KEYS)) != 0 && p->layer >= first) {
            count += (double)p->count;
        }
    }
    return count;
}

static double output_count(const struct model *model) {
    return (double)model->output->count;
}

/* Operations on value rows of a token, by the memory layers from `first` on. */
static double read_flops(const struct model *model, size_t first) {
    const struct memory_config *m = &model->config.memory;
    double flops = 0.0;
    for (size_t i = 0; i < m->n_layers; i++) {
        if (m->layers[i] < first) continue;
        flops += 2.0 * (double)(m->heads * m->knn * m->v_dim) * (m->peer_variant ? 2.0 : 1.0);
    }
    return flops;
}

/* Pairs of a query and a key that it sees, of all heads and of the layers from `first` on. */
static double attention_pairs(const struct model *model, const struct pass_work *work,
                              size_t first) {
    const double layers = (double)(model->config.n_layers - first);
    return work->tokens * (work->length + 1.0) / 2.0 * (double)model->config.n_heads * layers;
}

double work_forward(const struct model *model, const struct pass_work *work, size_t first) {
    const double of_pair = 4.0 * (double)model_head_dim(&model->config) + 5.0;
    return work->tokens * (2.0 * multiplied(model, first) + read_flops(model, first)) +
           attention_pairs(model, work, first) * of_pair +
           work->predicted * 2.0 * output_count(model);
}

double work_backward(const struct model *model, const struct pass_work *work, size_t first,
                     bool weights) {
    const double of_pair = 10.0 * (double)model_head_dim(&model->config) + 9.0;
    const double times = weights ? 2.0 : 1.0;
    return times * (work->tokens * (2.0 * multiplied(model, first) + read_flops(model, first)) +
                    work->predicted * 2.0 * output_count(model)) +
           attention_pairs(model, work, first) * of_pair;
}

static double number_bytes(const struct parameter *p) {
    return (double)stored_size(model_kept_type(p));
}

/* Of the value rows that a token reads. */
static double row_bytes(const struct model *model) {
    const struct memory_config *m = &model->config.memory;
    double bytes = 0.0;
    for (size_t i = 0; i < m->n_layers; i++) {
        const struct parameter *values = model->layers[m->layers[i]].values;
        bytes += (double)(m->heads * m->knn * m->v_dim) * number_bytes(values);
    }
    return bytes * (m->peer_variant ? 2.0 : 1.0);
}

double work_weight_bytes(const struct model *model, double tokens) {
    double bytes = output_count(model) * number_bytes(model->output);
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if ((p->roles & (ROLE_LINEAR | ROLE_KEYS)) == 0) continue;
        bytes += (double)p->count * number_bytes(p);
    }
    const double embedded = (double)model->config.dim * number_bytes(model->embedding);
    return bytes + tokens * (embedded + row_bytes(model));
}

size_t work_kept_bytes(const struct model *model) {
    size_t bytes = 0;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        bytes += p->count * stored_size(model_kept_type(p));
    }
    return bytes;
}

double work_cache_bytes(const struct model *model, double length) {
    const struct model_config *config = &model->config;
    return sizeof(float) * 2.0 * length *
           (double)(config->n_layers * config->n_kv_heads * model_head_dim(config));
}
