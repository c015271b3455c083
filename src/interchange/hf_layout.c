#include "interchange/hf_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void hf_layout_name(const struct parameter *p, char theirs[FOREIGN_NAME_SIZE]) {
    if (p->hf_name == NULL) {
        snprintf(theirs, FOREIGN_NAME_SIZE, "model.%s", p->name);
    } else if (strncmp(p->name, "layers.", strlen("layers.")) == 0) {
        snprintf(theirs, FOREIGN_NAME_SIZE, "model.layers.%zu.%s", p->layer, p->hf_name);
    } else {
        snprintf(theirs, FOREIGN_NAME_SIZE, "%s", p->hf_name);
    }
}

/* The row, within a head, where the row of a pair stands when the halves are split. */
static size_t split_row(size_t row, size_t head_dim) {
    return row % 2 * (head_dim / 2) + row / 2;
}

void hf_layout_pair_rows(size_t heads, size_t head_dim, size_t columns,
                         const float *restrict halves, float *restrict pairs) {
    for (size_t i = 0; i < heads * head_dim; i++) {
        size_t from = i / head_dim * head_dim + split_row(i % head_dim, head_dim);
        memcpy(pairs + i * columns, halves + from * columns, columns * sizeof *pairs);
    }
}

void hf_layout_split_rows(size_t heads, size_t head_dim, size_t columns,
                          const float *restrict pairs, float *restrict halves) {
    for (size_t i = 0; i < heads * head_dim; i++) {
        size_t to = i / head_dim * head_dim + split_row(i % head_dim, head_dim);
        memcpy(halves + to * columns, pairs + i * columns, columns * sizeof *halves);
    }
}

bool hf_layout_is_turned(const struct model *model, const struct parameter *p) {
    const struct layer *layer = &model->layers[p->layer];
    return p == layer->wq || p == layer->wk || p == layer->wq_bias || p == layer->wk_bias ||
           p == layer->q_norm || p == layer->k_norm;
}

static size_t columns_of(const struct parameter *p) {
    return p->rank == 1 ? 1 : p->shape[1];
}

size_t hf_layout_largest_turned(const struct model *model) {
    size_t most = 0;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (hf_layout_is_turned(model, p) && p->count > most) most = p->count;
    }
    return most;
}

mneme_status hf_layout_pair_model(struct model *model, mneme_error *error) {
    const size_t head_dim = model_head_dim(&model->config);
    float *halves = memory_allocate(hf_layout_largest_turned(model), sizeof *halves);
    if (halves == NULL) return error_set_memory(error, "a weight");
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (!hf_layout_is_turned(model, p)) continue;
        memcpy(halves, p->data, p->count * sizeof *halves);
        hf_layout_pair_rows(p->shape[0] / head_dim, head_dim, columns_of(p), halves, p->data);
    }
    free(halves);
    return MNEME_OK;
}

void hf_layout_split(const struct model *model, const struct parameter *p,
                     const float *restrict pairs, float *restrict halves) {
    const size_t head_dim = model_head_dim(&model->config);
    hf_layout_split_rows(p->shape[0] / head_dim, head_dim, columns_of(p), pairs, halves);
}
