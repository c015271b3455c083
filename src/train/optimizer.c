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

/* Both moments of each trained parameter. */
static mneme_status place(struct optimizer *optimizer, mneme_error *error) {
    struct arena_piece *pieces = calloc(2 * optimizer->n_trained + 1, sizeof *pieces);
    if (pieces == NULL) return error_set_memory(error, "moments");
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        size_t count = optimizer->trained[i]->count;
        pieces[2 * i] = (struct arena_piece){&optimizer->moments[i].first, count, sizeof(float)};
        pieces[2 * i + 1] =
            (struct arena_piece){&optimizer->moments[i].second, count, sizeof(float)};
    }
    mneme_status status =
        arena_layout(&optimizer->arena, 2 * optimizer->n_trained, pieces, "moments", error);
    free(pieces);
    return status;
}

mneme_status optimizer_open(struct optimizer *optimizer, const struct adamw_settings *settings,
                            struct parameter *const *trained, size_t n_trained,
                            mneme_error *error) {
    *optimizer = (struct optimizer){.settings = *settings, .n_trained = n_trained};
    optimizer->trained = calloc(n_trained + 1, sizeof *optimizer->trained);
    optimizer->moments = calloc(n_trained + 1, sizeof *optimizer->moments);
    mneme_status status = MNEME_OK;
    if (optimizer->trained == NULL || optimizer->moments == NULL) {
        status = error_set_memory(error, "the optimizer");
    } else {
        memcpy(optimizer->trained, trained, n_trained * sizeof *trained);
    }
    THEN(gradients_open(&optimizer->gradients, n_trained, trained, error));
    THEN(place(optimizer, error));
    if (status != MNEME_OK) optimizer_close(optimizer);
    return status;
}

void optimizer_close(struct optimizer *optimizer) {
    free(optimizer->trained);
    free(optimizer->moments);
    gradients_close(&optimizer->gradients);
    arena_close(&optimizer->arena);
    *optimizer = (struct optimizer){0};
}

static size_t block_length(size_t count, size_t first, size_t block) {
    return count - first < block ? count - first : block;
}

void optimizer_zero_gradients(struct optimizer *optimizer) {
    profile_layer(PROFILE_OPTIMIZER, 0);
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        const struct parameter *p = optimizer->trained[i];
        float *gradient = gradient_of(&optimizer->gradients, p);
        PROFILE(zero_gradients, p->count);
#pragma omp parallel for schedule(static) if (p->count > UPDATE_BLOCK)
        for (size_t j = 0; j < p->count; j += UPDATE_BLOCK) {
            memset(gradient + j, 0, block_length(p->count, j, UPDATE_BLOCK) * sizeof(float));
        }
    }
    const struct gradients *g = &optimizer->gradients;
    if (g->tied != NULL) memset(g->tied_output, 0, g->tied->count * sizeof(float));
}

/* The sums of a few blocks are found side by side and added in block order. */
static float sum_squares(size_t count, const float *gradient, float sum) {
    enum { TOGETHER = 32 };
    PROFILE(gradient_norm, count);
    const struct simd_kernels *kernels = simd();
    for (size_t first = 0; first < count; first += (size_t)TOGETHER * NORM_BLOCK) {
        float sums[TOGETHER];
        size_t left = (count - first + NORM_BLOCK - 1) / NORM_BLOCK;
        size_t n = left < TOGETHER ? left : TOGETHER;
#pragma omp parallel for schedule(static) if (n > 1)
        for (size_t b = 0; b < n; b++) {
            size_t start = first + b * NORM_BLOCK;
            sums[b] = kernels->reduce_sum_squares(block_length(count, start, NORM_BLOCK),
                                                  gradient + start);
        }
        for (size_t b = 0; b < n; b++) sum += sums[b];
    }
    return sum;
}

struct gradient_norms optimizer_gradient_norms(const struct optimizer *optimizer) {
    const bool together = optimizer->settings.clip_values == CLIP_TOGETHER;
    struct gradient_norms sums = {0.0f, 0.0f};
    profile_layer(PROFILE_OPTIMIZER, 0);
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        const struct parameter *p = optimizer->trained[i];
        float *sum = together || p->kind == PARAMETER_COMMON ? &sums.common : &sums.values;
        *sum = sum_squares(p->count, gradient_of(&optimizer->gradients, p), *sum);
    }
    float common = sqrtf(sums.common);
    return (struct gradient_norms){common, together ? common : sqrtf(sums.values)};
}

void optimizer_step(struct optimizer *optimizer, float lr, float values_lr,
                    struct gradient_norms norms) {
    const struct simd_kernels *kernels = simd();
    const struct adamw_settings *s = &optimizer->settings;
    optimizer->step++;
    profile_layer(PROFILE_OPTIMIZER, 0);
    struct adamw_step common =
        adamw_step_at(s, lr, s->weight_decay, optimizer->step, adamw_clip_scale(s, norms.common));
    struct adamw_step values = adamw_step_at(s, values_lr, s->values_weight_decay, optimizer->step,
                                             adamw_clip_scale(s, norms.values));
    for (size_t i = 0; i < optimizer->n_trained; i++) {
        struct parameter *p = optimizer->trained[i];
        const float *gradient = gradient_of(&optimizer->gradients, p);
        struct moments moments = optimizer->moments[i];
        const struct adamw_step *step = p->kind == PARAMETER_COMMON ? &common : &values;
        PROFILE(adamw_update, p->count);
#pragma omp parallel for schedule(static) if (p->count > UPDATE_BLOCK)
        for (size_t j = 0; j < p->count; j += UPDATE_BLOCK) {
            kernels->adamw_update(block_length(p->count, j, UPDATE_BLOCK), step, gradient + j,
                                  moments.first + j, moments.second + j, p->data + j);
        }
    }
}

/* The parameters that have one of the roles; all for no role. */
static mneme_status list_roles(struct model *model, unsigned roles, struct parameter ***list,
                               size_t *n, mneme_error *error) {
    *n = 0;
    *list = malloc(model->n_parameters * sizeof **list);
    if (*list == NULL) return error_set_memory(error, "the optimizer");
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if (roles == 0 || (p->roles & roles) != 0) (*list)[(*n)++] = p;
    }
    return MNEME_OK;
}

mneme_status optimizer_list_model(struct model *model, struct parameter ***list, size_t *n,
                                  mneme_error *error) {
    return list_roles(model, 0, list, n, error);
}

mneme_status optimizer_list_memory(struct model *model, struct parameter ***list, size_t *n,
                                   mneme_error *error) {
    return list_roles(model, ROLE_MEMORY, list, n, error);
}

const char *const trained_part_names[TRAINED_PART_COUNT] = {"all", "memory", "memory-and-around"};

struct backward_extent optimizer_extent(const struct model *model, enum trained_part part) {
    if (part == TRAIN_ALL) return (struct backward_extent){0};
    return (struct backward_extent){model->config.memory.layers[0],
                                    part == TRAIN_MEMORY ? BACKWARD_TO_MEMORY : BACKWARD_WHOLE};
}

/* Whether the parameter is one of a layer that has a memory. */
static bool is_around(const struct model *model, const struct parameter *p) {
    const struct layer *layer = &model->layers[p->layer];
    if (layer->keys == NULL) return false;
    for (size_t i = 0; i < LAYER_PARAMETERS; i++) {
        if (layer->parameters[i] == p) return true;
    }
    return false;
}

mneme_status optimizer_list_part(struct model *model, enum trained_part part,
                                 struct parameter ***list, size_t *n, mneme_error *error) {
    size_t all = 0;
    TRY(list_roles(model, part == TRAIN_MEMORY ? ROLE_MEMORY : 0, list, &all, error));
    *n = 0;
    for (size_t i = 0; i < all; i++) {
        struct parameter *p = (*list)[i];
        if (part != TRAIN_MEMORY_AND_AROUND || is_around(model, p)) (*list)[(*n)++] = p;
    }
    return MNEME_OK;
}

mneme_status optimizer_list_adapters(struct adapter_set *set, struct parameter ***list, size_t *n,
                                     mneme_error *error) {
    *list = malloc((2 * set->n_adapters + 1) * sizeof **list);
    if (*list == NULL) return error_set_memory(error, "the optimizer");
    *n = 0;
    for (size_t i = 0; i < set->n_adapters; i++) {
        (*list)[(*n)++] = &set->adapters[i].a;
        (*list)[(*n)++] = &set->adapters[i].b;
    }
    return MNEME_OK;
}
