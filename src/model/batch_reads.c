#include "model/batch_reads.h"

#include <assert.h>

#include "profile/profile.h"

static size_t reads_per_token(const struct model *model) {
    return model->config.memory.heads * model->config.memory.knn;
}

mneme_status batch_reads_open(struct row_scatter *reads, const struct model *model,
                              size_t max_tokens, mneme_error *error) {
    size_t per_token = reads_per_token(model) * model->config.memory.n_layers;
    return row_scatter_open(reads, max_tokens * per_token, error);
}

/* Numbers the contribution of read r of token i in memory layer m. */
static size_t place_of(const struct model *model, size_t i, size_t m, size_t r) {
    return (i * model->config.memory.n_layers + m) * reads_per_token(model) + r;
}

/* What the read sums the value rows with: the softmax, or PEER's product with the activation. */
static const float *read_weights(const struct layer_activations *a) {
    return a->expert_weights != NULL ? a->expert_weights : a->slot_weights;
}

void batch_reads_sort(struct row_scatter *reads, const struct pass *pass) {
    const struct model *model = pass->model;
    const struct memory_config *config = &model->config.memory;
    assert(pass->training && (pass->stage >= PASS_FORWARD ||
                              (pass->stage == PASS_AT_MEMORY &&
                               pass->at_layer == config->layers[config->n_layers - 1])));
    const size_t per_token = reads_per_token(model), n_slots = model_n_slots(&model->config);
    profile_layer(PROFILE_VALUES, 0);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < pass->n_tokens; i++) {
        for (size_t m = 0; m < config->n_layers; m++) {
            const struct layer_activations *a = &pass->activations.layers[config->layers[m]];
            const float *weights = read_weights(a);
            size_t table = model->layers[config->layers[m]].table_index * n_slots;
            for (size_t r = 0; r < per_token; r++) {
                size_t e = place_of(model, i, m, r);
                reads->rows[e] = (int32_t)(table + (size_t)a->slots[i * per_token + r]);
                reads->coefficients[e] = weights[i * per_token + r];
                reads->sources[e] = (int32_t)(m * pass->max_tokens + i);
            }
        }
    }
    row_scatter_sort(reads, pass->n_tokens * config->n_layers * per_token,
                     model->n_tables * n_slots);
}

void batch_reads_weigh_inputs(struct row_scatter *reads, const struct pass *pass) {
    assert(pass->stage == PASS_BACKWARD);
    const struct model *model = pass->model;
    const size_t n_layers = model->config.memory.n_layers, per_token = reads_per_token(model);
    profile_layer(PROFILE_VALUES, 0);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < pass->n_tokens; i++) {
        for (size_t m = 0; m < n_layers; m++) {
            const float *of_token =
                pass->activations.d_expert_hidden + (m * pass->max_tokens + i) * per_token;
            for (size_t r = 0; r < per_token; r++) {
                reads->coefficients[place_of(model, i, m, r)] = of_token[r];
            }
        }
    }
    row_scatter_weigh(reads);
}

struct slots_read batch_reads_slots(const struct row_scatter *reads) {
    return (struct slots_read){reads->n_groups, reads->group_rows, reads->group_starts};
}
