#include "model/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parameters per layer at most, and outside the layers. */
#define LAYER_PARAMETERS 16
#define OTHER_PARAMETERS 3

static struct parameter *vector(struct model *model, size_t n, const char *format, ...)
    MNEME_PRINTF(3, 4);
static struct parameter *matrix(struct model *model, size_t rows, size_t columns,
                                const char *format, ...) MNEME_PRINTF(4, 5);

static struct parameter *add(struct model *model, const char *format, va_list arguments) {
    struct parameter *parameter = &model->parameters[model->n_parameters++];
    vsnprintf(parameter->name, sizeof parameter->name, format, arguments);
    return parameter;
}

static struct parameter *vector(struct model *model, size_t n, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    struct parameter *parameter = add(model, format, arguments);
    va_end(arguments);
    parameter->rank = 1;
    parameter->shape[0] = n;
    parameter->count = n;
    return parameter;
}

static struct parameter *matrix(struct model *model, size_t rows, size_t columns,
                                const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    struct parameter *parameter = add(model, format, arguments);
    va_end(arguments);
    parameter->rank = 2;
    parameter->shape[0] = rows;
    parameter->shape[1] = columns;
    parameter->count = rows * columns;
    return parameter;
}

static void add_attention(struct model *model, size_t l) {
    const struct model_config *config = &model->config;
    struct layer *layer = &model->layers[l];
    size_t dim = config->dim, head_dim = model_head_dim(config);
    size_t q_dim = config->n_heads * head_dim, kv_dim = config->n_kv_heads * head_dim;
    layer->attention_norm = vector(model, dim, "layers.%zu.attention_norm.weight", l);
    layer->wq = matrix(model, q_dim, dim, "layers.%zu.attention.wq.weight", l);
    layer->wk = matrix(model, kv_dim, dim, "layers.%zu.attention.wk.weight", l);
    layer->wv = matrix(model, kv_dim, dim, "layers.%zu.attention.wv.weight", l);
    layer->wo = matrix(model, dim, q_dim, "layers.%zu.attention.wo.weight", l);
    layer->ffn_norm = vector(model, dim, "layers.%zu.ffn_norm.weight", l);
}

static void add_feed_forward(struct model *model, size_t l) {
    struct layer *layer = &model->layers[l];
    size_t dim = model->config.dim, hidden = model_hidden_dim(&model->config);
    layer->w1 = matrix(model, hidden, dim, "layers.%zu.feed_forward.w1.weight", l);
    layer->w3 = matrix(model, hidden, dim, "layers.%zu.feed_forward.w3.weight", l);
    layer->w2 = matrix(model, dim, hidden, "layers.%zu.feed_forward.w2.weight", l);
}

/* A value table, or PEER's two. */
static void add_values(struct model *model, size_t l) {
    const struct memory_config *memory = &model->config.memory;
    struct layer *layer = &model->layers[l];
    size_t n_slots = model_n_slots(&model->config), v_dim = memory->v_dim;
    layer->table_index = model->n_tables++;
    if (memory->peer_variant) {
        layer->values_u =
            matrix(model, n_slots, v_dim, "layers.%zu.feed_forward.values_u.weight", l);
        layer->values_u->kind = PARAMETER_VALUES_U;
    }
    const char *name = memory->peer_variant ? "values_v" : "values";
    layer->values = matrix(model, n_slots, v_dim, "layers.%zu.feed_forward.%s.weight", l, name);
    layer->values->kind = PARAMETER_VALUES;
}

/* What stands between the read and the layer's output. */
static void add_memory_projections(struct model *model, size_t l) {
    const struct memory_config *memory = &model->config.memory;
    struct layer *layer = &model->layers[l];
    size_t dim = model->config.dim, v_dim = memory->v_dim;
    if (memory->swilu_projection) {
        layer->swilu_weight =
            matrix(model, v_dim, dim, "layers.%zu.feed_forward.swilu_projection.weight", l);
        layer->swilu_bias =
            vector(model, v_dim, "layers.%zu.feed_forward.swilu_projection.bias", l);
    }
    if (memory->value_proj) {
        layer->value_weight =
            matrix(model, dim, v_dim, "layers.%zu.feed_forward.value_proj.weight", l);
        layer->value_bias = vector(model, dim, "layers.%zu.feed_forward.value_proj.bias", l);
    }
    if (memory->gated) {
        layer->gating_weight = matrix(model, 1, dim, "layers.%zu.feed_forward.gating.weight", l);
        layer->gating_bias = vector(model, 1, "layers.%zu.feed_forward.gating.bias", l);
    }
}

/* A memory layer; `first` is the lowest one, whose values the others share if the config says so.
 */
static void add_memory(struct model *model, size_t l, size_t memory_index,
                       const struct layer *first) {
    const struct memory_config *memory = &model->config.memory;
    struct layer *layer = &model->layers[l];
    size_t dim = model->config.dim;
    size_t query_dim = memory->heads * memory->k_dim;
    layer->memory_index = memory_index;
    layer->query_weight =
        matrix(model, query_dim, dim, "layers.%zu.feed_forward.query_proj.query_mlps.0.weight", l);
    if (memory->query_bias) {
        layer->query_bias =
            vector(model, query_dim, "layers.%zu.feed_forward.query_proj.query_mlps.0.bias", l);
    }
    layer->keys = matrix(model, memory->heads * 2 * memory->n_keys, memory->k_dim / 2,
                         "layers.%zu.feed_forward.keys", l);
    if (memory->share_values && first != NULL) {
        layer->values = first->values;
        layer->values_u = first->values_u;
        layer->table_index = first->table_index;
    } else {
        add_values(model, l);
    }
    add_memory_projections(model, l);
}

static void add_parameters(struct model *model) {
    const struct model_config *config = &model->config;
    model->embedding = matrix(model, config->vocab_size, config->dim, "tok_embeddings.weight");
    const struct layer *first_memory = NULL;
    size_t memory_index = 0;
    for (size_t l = 0; l < config->n_layers; l++) {
        add_attention(model, l);
        if (model_layer_has_memory(config, l)) {
            add_memory(model, l, memory_index++, first_memory);
            if (first_memory == NULL) first_memory = &model->layers[l];
        } else {
            add_feed_forward(model, l);
        }
    }
    model->norm = vector(model, config->dim, "norm.weight");
    model->output = config->tied_output
                        ? model->embedding
                        : matrix(model, config->vocab_size, config->dim, "output.weight");
}

/* All tables of a kind, one after the other from `table`. */
static void place_tables(struct model *model, enum parameter_kind kind, float *table) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *parameter = &model->parameters[i];
        if (parameter->kind != kind) continue;
        parameter->data = table;
        table += parameter->count;
    }
}

static mneme_status place_parameters(struct model *model, mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    size_t rows = model->n_tables * model_n_slots(&model->config);
    size_t values = rows * memory->v_dim, values_u = memory->peer_variant ? values : 0;
    bool fits = arena_reserve(&model->arena, values, sizeof(float));
    fits = fits && arena_reserve(&model->arena, values_u, sizeof(float));
    for (size_t i = 0; i < model->n_parameters; i++) {
        if (model->parameters[i].kind != PARAMETER_COMMON) continue;
        fits = fits && arena_reserve(&model->arena, model->parameters[i].count, sizeof(float));
    }
    if (!fits) return error_set_memory(error, "the model's parameters");
    mneme_status status = arena_open(&model->arena, "the model's parameters", error);
    if (status != MNEME_OK) return status;
    model->values = arena_take(&model->arena, values, sizeof(float));
    model->values_u = arena_take(&model->arena, values_u, sizeof(float));
    place_tables(model, PARAMETER_VALUES, model->values);
    place_tables(model, PARAMETER_VALUES_U, model->values_u);
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *parameter = &model->parameters[i];
        if (parameter->kind != PARAMETER_COMMON) continue;
        parameter->data = arena_take(&model->arena, parameter->count, sizeof(float));
    }
    return MNEME_OK;
}

mneme_status model_describe(const struct model_config *config, struct model *model,
                            mneme_error *error) {
    *model = (struct model){.config = *config};
    size_t most = config->n_layers * LAYER_PARAMETERS + OTHER_PARAMETERS;
    model->layers = calloc(config->n_layers, sizeof *model->layers);
    model->parameters = calloc(most, sizeof *model->parameters);
    if (model->layers == NULL || model->parameters == NULL) {
        model_close(model);
        return error_set_memory(error, "the model");
    }
    add_parameters(model);
    return MNEME_OK;
}

mneme_status model_allocate(struct model *model, mneme_error *error) {
    mneme_status status = place_parameters(model, error);
    if (status != MNEME_OK) model_close(model);
    return status;
}

mneme_status model_open(const struct model_config *config, struct model *model,
                        mneme_error *error) {
    mneme_status status = model_describe(config, model, error);
    return status == MNEME_OK ? model_allocate(model, error) : status;
}

void model_close(struct model *model) {
    free(model->layers);
    free(model->parameters);
    arena_close(&model->arena);
    *model = (struct model){0};
}

struct parameter *model_parameter(const struct model *model, const char *name) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        if (strcmp(model->parameters[i].name, name) == 0) return &model->parameters[i];
    }
    return NULL;
}

size_t model_count(const struct model *model) {
    size_t count = 0;
    for (size_t i = 0; i < model->n_parameters; i++) count += model->parameters[i].count;
    return count;
}
