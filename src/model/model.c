#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds the parameter of a line; NULL when the model has none. */
static struct parameter *add(struct model *model, const struct parameter_line *line) {
    if (!line->exists) return NULL;
    struct parameter *parameter = &model->parameters[model->n_parameters];
    *parameter = (struct parameter){.index = model->n_parameters++,
                                    .rank = line->columns == 0 ? 1 : 2,
                                    .shape = {line->rows, line->columns},
                                    .count = line->rows * (line->columns == 0 ? 1 : line->columns),
                                    .kind = line->kind,
                                    .start = line->start,
                                    .roles = line->roles,
                                    .hf_name = line->hf_name};
    snprintf(parameter->name, sizeof parameter->name, "%s", line->name);
    return parameter;
}

/* `tables` has the value tables that the layer shares, or is NULL. */
static void add_layer(struct model *model, size_t l, const struct layer *tables) {
    struct layer *layer = &model->layers[l];
    struct parameter_line lines[LAYER_PARAMETERS];
    const bool memory = model_layer_has_memory(&model->config, l);
    layer_parameter_lines(&model->config, !memory, memory, lines);
    for (size_t i = 0; i < LAYER_PARAMETERS; i++) {
        if (tables != NULL && lines[i].kind != PARAMETER_COMMON) {
            layer->parameters[i] = tables->parameters[i];
            continue;
        }
        struct parameter *parameter = layer->parameters[i] = add(model, &lines[i]);
        if (parameter == NULL) continue;
        parameter->layer = l;
        snprintf(parameter->name, sizeof parameter->name, "layers.%zu.%s", l, lines[i].name);
    }
    if (memory) layer->table_index = tables != NULL ? tables->table_index : model->n_tables++;
}

static void add_parameters(struct model *model) {
    const struct model_config *config = &model->config;
    struct parameter_line lines[MODEL_PARAMETERS];
    model_parameter_lines(config, lines);
    model->embedding = add(model, &lines[MODEL_embedding]);
    const struct layer *first_memory = NULL;
    size_t memory_index = 0;
    for (size_t l = 0; l < config->n_layers; l++) {
        const bool memory = model_layer_has_memory(config, l);
        add_layer(model, l, memory && config->memory.share_values ? first_memory : NULL);
        if (!memory) continue;
        model->layers[l].memory_index = memory_index++;
        if (first_memory == NULL) first_memory = &model->layers[l];
    }
    model->norm = add(model, &lines[MODEL_norm]);
    model->output = add(model, &lines[MODEL_output]);
    if (model->output != NULL) return;
    model->output = model->embedding;
    model->embedding->roles |= ROLE_OUTPUT;
}

/* Points the tables of a kind into `table`, one after the other. */
static void place_tables(struct model *model, enum parameter_kind kind, float *table) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *parameter = &model->parameters[i];
        if (parameter->kind != kind) continue;
        parameter->data = table;
        table += parameter->count;
    }
}

static mneme_status place_parameters(struct model *model, struct arena_piece *pieces,
                                     mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    size_t rows = model->n_tables * model_n_slots(&model->config), n = 0;
    size_t row = memory->v_dim * sizeof(float);
    pieces[n++] = (struct arena_piece){&model->values, rows, row};
    pieces[n++] = (struct arena_piece){&model->values_u, memory->peer_variant ? rows : 0, row};
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if (p->kind != PARAMETER_COMMON) continue;
        pieces[n++] = (struct arena_piece){&p->data, p->count, sizeof(float)};
    }
    TRY(arena_layout(&model->arena, n, pieces, "the model's parameters", error));
    place_tables(model, PARAMETER_VALUES, model->values);
    place_tables(model, PARAMETER_VALUES_U, model->values_u);
    return MNEME_OK;
}

mneme_status model_describe(const struct model_config *config, struct model *model,
                            mneme_error *error) {
    *model = (struct model){.config = *config};
    size_t most = config->n_layers * LAYER_PARAMETERS + MODEL_PARAMETERS;
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
    struct arena_piece *pieces = calloc(model->n_parameters + 2, sizeof *pieces);
    mneme_status status = pieces == NULL ? error_set_memory(error, "the model's parameters")
                                         : place_parameters(model, pieces, error);
    free(pieces);
    if (status != MNEME_OK) model_close(model);
    return status;
}

mneme_status model_open(const struct model_config *config, struct model *model,
                        mneme_error *error) {
    TRY(model_describe(config, model, error));
    return model_allocate(model, error);
}

void model_close(struct model *model) {
    free(model->layers);
    free(model->parameters);
    arena_close(&model->arena);
    *model = (struct model){0};
}

struct parameter *model_parameter(struct model *model, const char *name) {
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
