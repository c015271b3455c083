#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/rehearsal.h"
#include "simd/math.h"
#include "simd/simd.h"

#define TWO_PI 6.28318530717958647692f

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
                                    .hf_name = line->hf_name,
                                    .gguf_name = line->gguf_name};
    snprintf(parameter->name, sizeof parameter->name, "%s", line->name);
    return parameter;
}

/* `tables` has the value tables that the layer shares, or is NULL. */
static void add_layer(struct model *model, size_t l, const struct layer *tables) {
    struct layer *layer = &model->layers[l];
    struct parameter_line lines[LAYER_PARAMETERS];
    const bool memory = model_layer_has_memory(&model->config, l);
    layer_parameter_lines(&model->config, model_layer_has_ffn(&model->config, l), memory, lines);
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

/* Whether the value tables are in files, or there are none. */
static bool tables_are_placed(const struct model *model) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (p->kind != PARAMETER_COMMON && !p->in_file) return false;
    }
    return true;
}

static mneme_status place_parameters(struct model *model, struct arena_piece *pieces,
                                     mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    const bool placed = tables_are_placed(model);
    size_t rows = model->n_tables * model_n_slots(&model->config), n = 0;
    size_t row = memory->v_dim * sizeof(float);
    if (!placed) {
        pieces[n++] = (struct arena_piece){&model->values, rows, row};
        pieces[n++] = (struct arena_piece){&model->values_u, memory->peer_variant ? rows : 0, row};
    }
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if (p->kind != PARAMETER_COMMON || parameter_stored(p).data != NULL) continue;
        pieces[n++] = (struct arena_piece){&p->data, p->count, sizeof(float)};
    }
    TRY(arena_layout(&model->arena, n, pieces, "the model's parameters", error));
    if (placed) return MNEME_OK;
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
    for (size_t i = 0; model->parameters != NULL && i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (p->in_file) rehearsal_take(WEIGHTS_IN_FILE, parameter_bytes(p));
        changed_rows_close(p->changed);
    }
    free(model->layers);
    free(model->parameters);
    arena_close(&model->arena);
    safetensors_map_close(&model->files);
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

/* Four draws make two Box-Muller pairs; number `index` is lane index mod 4 of draw index / 4. */
float model_random_normal(uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t draws[4];
    random_draw4(seed, stream, index / 4, draws);
    size_t pair = (size_t)(index % 4) / 2 * 2;
    float u = (float)((draws[pair] >> 8) + 1) * 0x1p-24f; /* in (0, 1] */
    float angle = (float)(draws[pair + 1] >> 8) * 0x1p-24f * TWO_PI;
    float radius = sqrtf(-2.0f * math_log(u));
    return radius * (index % 2 == 0 ? math_cos(angle) : math_sin(angle));
}

static uint64_t stream_of(const struct parameter *parameter) {
    return RANDOM_STREAM_PARAMETERS + (uint64_t)parameter->index;
}

static void fill(struct parameter *parameter, float value) {
    for (size_t i = 0; i < parameter->count; i++) parameter->data[i] = value;
}

/* The first of the numbers `index`, index + 2^48, index + 2 2^48, … that is at most 3: no tensor
 * has 2^48 elements. */
static float truncated_normal(uint64_t seed, uint64_t stream, uint64_t index) {
    float z;
    do {
        z = model_random_normal(seed, stream, index);
        index += (uint64_t)1 << 48;
    } while (fabsf(z) > 3.0f);
    return z;
}

static void fill_truncated(struct parameter *parameter, uint64_t seed, float std) {
    uint64_t stream = stream_of(parameter);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->data[i] = std * truncated_normal(seed, stream, i);
    }
}

static void fill_normal(struct parameter *parameter, uint64_t seed, float std) {
    uint64_t stream = stream_of(parameter);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->data[i] = std * model_random_normal(seed, stream, i);
    }
}

static void fill_uniform(struct parameter *parameter, uint64_t seed, float bound) {
    uint64_t stream = stream_of(parameter);
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->data[i] = bound * (2.0f * random_uniform(seed, stream, i) - 1.0f);
    }
}

/* Lingua's init_std_factor for a layer. */
static float std_divisor(const struct model_config *config, size_t layer) {
    switch (config->init_std_factor) {
        case INIT_STD_GLOBAL_DEPTH:
            return sqrtf((float)(2 * (config->n_layers + 1)));
        case INIT_STD_CURRENT_DEPTH:
            return sqrtf((float)(2 * (layer + 1)));
        case INIT_STD_DIM_RATIO:
            return (float)config->dim / 4096.0f;
        default:
            return 1.0f;
    }
}

static float truncated_std(const struct model_config *config, const struct parameter *p) {
    float std = 1.0f / sqrtf((float)p->shape[1]);
    if ((p->roles & (ROLE_EMBEDDING | ROLE_OUTPUT)) != 0) return std;
    if (config->init_base_std > 0.0f) std = config->init_base_std;
    return std / std_divisor(config, p->layer);
}

/* `p` is one of a model's parameters, in their order. */
static void initialize(const struct model_config *config, struct parameter *p, uint64_t seed) {
    float branch = 1.0f / sqrtf((float)(2 * config->n_layers));
    switch (p->start) {
        case PARAMETER_STARTS_ZEROS:
            fill(p, 0.0f);
            break;
        case PARAMETER_STARTS_ONES:
            fill(p, 1.0f);
            break;
        case PARAMETER_STARTS_NORMAL:
            fill_normal(p, seed, 1.0f / sqrtf((float)p->shape[1]));
            break;
        case PARAMETER_STARTS_NORMAL_OUT:
            fill_normal(p, seed, 1.0f / sqrtf((float)p->shape[0]));
            break;
        case PARAMETER_STARTS_TRUNCATED:
            fill_truncated(p, seed, truncated_std(config, p));
            break;
        case PARAMETER_STARTS_XAVIER:
            fill_uniform(p, seed, sqrtf(6.0f / (float)(p->shape[0] + p->shape[1])));
            break;
        case PARAMETER_STARTS_BRANCH:
            fill_normal(p, seed, branch / sqrtf((float)p->shape[1]));
            break;
        case PARAMETER_STARTS_BIAS:
            fill_uniform(p, seed, 1.0f / sqrtf((float)p[-1].shape[1]));
            break;
        case PARAMETER_STARTS_KEYS:
            fill_uniform(p, seed, 1.0f / sqrtf((float)config->memory.k_dim));
            break;
        case PARAMETER_STARTS_SCALE:
            fill(p, config->memory.scale);
            break;
    }
}

void model_initialize(struct model *model, uint64_t seed) {
    if (rehearsal_is_on()) return;
    for (size_t i = 0; i < model->n_parameters; i++) {
        initialize(&model->config, &model->parameters[i], seed);
    }
}

void model_initialize_memory(struct model *model, uint64_t seed) {
    if (rehearsal_is_on()) return;
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if ((p->roles & ROLE_MEMORY) != 0) initialize(&model->config, p, seed);
    }
}

bool model_is_finite(const struct model *model) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        if (!parameter_is_finite(&model->parameters[i])) return false;
    }
    return true;
}
