#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile/profile.h"
#include "simd/simd.h"

/* The blocks of the gradient norm are part of the contract (rule 3). */
#define NORM_BLOCK 65536
/* A thread updates this many elements at a time. */
#define UPDATE_BLOCK 16384

/* Where one of the three arrays that a trained parameter gets is kept. */
static float **array_of(struct parameter *p, int array) {
    return array == 0 ? &p->gradient : array == 1 ? &p->moment1 : &p->moment2;
}

/* Elements of all trained tables of a kind. */
static size_t count_of(const struct optimizer *optimizer, enum parameter_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        if (optimizer->trained[i]->kind == kind) count += optimizer->trained[i]->count;
    }
    return count;
}

/* Tables of a kind lie side by side. */
static void take_tables(struct optimizer *optimizer, int array, enum parameter_kind kind) {
    float *table = arena_take(&optimizer->arena, count_of(optimizer, kind), sizeof(float));
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        struct parameter *p = optimizer->trained[i];
        if (p->kind != kind) continue;
        *array_of(p, array) = table;
        table += p->count;
    }
}

/* Gradient, first and second moment of all parameters; the value tables' come first, because a
 * slot of any table is one row number. */
static mneme_status place(struct optimizer *optimizer, mneme_error *error) {
    size_t values = count_of(optimizer, PARAMETER_VALUES);
    size_t values_u = count_of(optimizer, PARAMETER_VALUES_U);
    bool fits = true;
    for (int array = 0; array < 3; array++) {
        fits = fits && arena_reserve(&optimizer->arena, values, sizeof(float));
        fits = fits && arena_reserve(&optimizer->arena, values_u, sizeof(float));
        for (size_t i = 0; i < optimizer->n_trained; i++) {
            if (optimizer->trained[i]->kind != PARAMETER_COMMON) continue;
            size_t count = optimizer->trained[i]->count;
            fits = fits && arena_reserve(&optimizer->arena, count, sizeof(float));
        }
    }
    if (!fits) return error_set_memory(error, "gradients and moments");
    mneme_status status = arena_open(&optimizer->arena, "gradients and moments", error);
    if (status != MNEME_OK) return status;
    for (int array = 0; array < 3; array++) {
        take_tables(optimizer, array, PARAMETER_VALUES);
        take_tables(optimizer, array, PARAMETER_VALUES_U);
        for (size_t i = 0; i < optimizer->n_trained; i++) {
            struct parameter *p = optimizer->trained[i];
            if (p->kind != PARAMETER_COMMON) continue;
            *array_of(p, array) = arena_take(&optimizer->arena, p->count, sizeof(float));
        }
    }
    return MNEME_OK;
}

mneme_status optimizer_open(struct optimizer *optimizer, const struct adamw_settings *settings,
                            struct parameter *const *trained, size_t n_trained,
                            mneme_error *error) {
    *optimizer = (struct optimizer){.settings = *settings, .n_trained = n_trained};
    optimizer->trained = malloc((n_trained + 1) * sizeof *optimizer->trained);
    if (optimizer->trained == NULL) return error_set_memory(error, "the optimizer");
    memcpy(optimizer->trained, trained, n_trained * sizeof *trained);
    mneme_status status = place(optimizer, error);
    if (status != MNEME_OK) optimizer_close(optimizer);
    return status;
}

void optimizer_close(struct optimizer *optimizer) {
    for (size_t i = 0; optimizer->trained != NULL && i < optimizer->n_trained; i++) {
        optimizer->trained[i]->gradient = NULL;
        optimizer->trained[i]->moment1 = NULL;
        optimizer->trained[i]->moment2 = NULL;
    }
    free(optimizer->trained);
    arena_close(&optimizer->arena);
    *optimizer = (struct optimizer){0};
}

static size_t block_length(size_t count, size_t first, size_t block) {
    return count - first < block ? count - first : block;
}

void optimizer_zero_gradients(struct optimizer *optimizer) {
    profile_layer(PROFILE_OPTIMIZER, 0);
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        struct parameter *p = optimizer->trained[i];
        PROFILE(zero_gradients, p->count);
#pragma omp parallel for schedule(static) if (p->count > UPDATE_BLOCK)
        for (size_t j = 0; j < p->count; j += UPDATE_BLOCK) {
            memset(p->gradient + j, 0, block_length(p->count, j, UPDATE_BLOCK) * sizeof(float));
        }
    }
}

/* The sums of a few blocks are found side by side and added in block order. */
static float sum_squares(const struct parameter *p, float sum) {
    enum { TOGETHER = 32 };
    PROFILE(gradient_norm, p->count);
    const struct simd_kernels *kernels = simd();
    for (size_t first = 0; first < p->count; first += (size_t)TOGETHER * NORM_BLOCK) {
        float sums[TOGETHER];
        size_t left = (p->count - first + NORM_BLOCK - 1) / NORM_BLOCK;
        size_t n = left < TOGETHER ? left : TOGETHER;
#pragma omp parallel for schedule(static) if (n > 1)
        for (size_t b = 0; b < n; b++) {
            size_t start = first + b * NORM_BLOCK;
            sums[b] = kernels->reduce_sum_squares(block_length(p->count, start, NORM_BLOCK),
                                                  p->gradient + start);
        }
        for (size_t b = 0; b < n; b++) sum += sums[b];
    }
    return sum;
}

float optimizer_gradient_norm(const struct optimizer *optimizer) {
    float sum = 0.0f;
    profile_layer(PROFILE_OPTIMIZER, 0);
    for (size_t i = 0; i < optimizer->n_trained; i++) sum = sum_squares(optimizer->trained[i], sum);
    return sqrtf(sum);
}

void optimizer_step(struct optimizer *optimizer, float lr, float values_lr, float gradient_norm) {
    const struct simd_kernels *kernels = simd();
    const struct adamw_settings *s = &optimizer->settings;
    optimizer->step++;
    profile_layer(PROFILE_OPTIMIZER, 0);
    float scale = s->clip > 0.0f && gradient_norm > s->clip ? s->clip / gradient_norm : 1.0f;
    struct adamw_step common = adamw_step_at(s, lr, s->weight_decay, optimizer->step, scale);
    struct adamw_step values =
        adamw_step_at(s, values_lr, s->values_weight_decay, optimizer->step, scale);
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        struct parameter *p = optimizer->trained[i];
        const struct adamw_step *step = p->kind == PARAMETER_COMMON ? &common : &values;
        PROFILE(adamw_update, p->count);
#pragma omp parallel for schedule(static) if (p->count > UPDATE_BLOCK)
        for (size_t j = 0; j < p->count; j += UPDATE_BLOCK) {
            kernels->adamw_update(block_length(p->count, j, UPDATE_BLOCK), step, p->gradient + j,
                                  p->moment1 + j, p->moment2 + j, p->data + j);
        }
    }
}

mneme_status optimizer_list_model(const struct model *model, struct parameter ***list, size_t *n,
                                  mneme_error *error) {
    *list = malloc(model->n_parameters * sizeof **list);
    if (*list == NULL) return error_set_memory(error, "the optimizer");
    for (size_t i = 0; i < model->n_parameters; i++) (*list)[i] = &model->parameters[i];
    *n = model->n_parameters;
    return MNEME_OK;
}

/* Whether a layer's memory has the parameter; a table that layers share is the first one's. */
static bool is_of_memory(const struct model *model, const struct parameter *p) {
    for (size_t l = 0; l < model->config.n_layers; l++) {
        const struct layer *layer = &model->layers[l];
        const struct parameter *of_memory[] = {
            layer->query_weight, layer->query_bias,    layer->keys,        layer->values,
            layer->values_u,     layer->swilu_weight,  layer->swilu_bias,  layer->value_weight,
            layer->value_bias,   layer->gating_weight, layer->gating_bias,
        };
        for (size_t i = 0; i < sizeof of_memory / sizeof *of_memory; i++) {
            if (of_memory[i] == p) return true;
        }
    }
    return false;
}

mneme_status optimizer_list_memory(const struct model *model, struct parameter ***list, size_t *n,
                                   mneme_error *error) {
    mneme_status status = optimizer_list_model(model, list, n, error);
    if (status != MNEME_OK) return status;
    size_t n_all = *n;
    *n = 0;
    for (size_t i = 0; i < n_all; i++) {
        if (is_of_memory(model, (*list)[i])) (*list)[(*n)++] = (*list)[i];
    }
    return MNEME_OK;
}

mneme_status optimizer_list_adapters(const struct adapter_set *set, struct parameter ***list,
                                     size_t *n, mneme_error *error) {
    *list = malloc((2 * set->n_adapters + 1) * sizeof **list);
    if (*list == NULL) return error_set_memory(error, "the optimizer");
    *n = 0;
    for (size_t i = 0; i < set->n_adapters; i++) {
        (*list)[(*n)++] = &set->adapters[i].a;
        (*list)[(*n)++] = &set->adapters[i].b;
    }
    return MNEME_OK;
}
