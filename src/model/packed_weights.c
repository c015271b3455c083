#include "model/packed_weights.h"

#include <stdlib.h>
#include <unistd.h>

#include "nn/matmul.h"
#include "nn/product_key.h"
#include "profile/profile.h"

/* Every packed weight is placed twice in the same order: to find the size, and to fill it. */
struct layout {
    struct packed_weights *packed;
    const struct model *model;
    bool filling;
    bool fits;
};

/* Room for matmul_pack's B [k, n]; NULL while sizes are found. */
static float *room(struct layout *layout, size_t size) {
    struct arena *arena = &layout->packed->arena;
    if (layout->filling) return arena_take(arena, size, sizeof(float));
    layout->fits = layout->fits && arena_reserve(arena, size, sizeof(float));
    return NULL;
}

static void place_weight(struct layout *layout, const struct parameter *weight, bool backward) {
    if (weight == NULL) return;
    size_t out = weight->shape[0], in = weight->shape[1];
    float *to_forward = room(layout, matmul_packed_size(in, out));
    float *to_backward = backward ? room(layout, matmul_packed_size(out, in)) : NULL;
    if (!layout->filling) return;
    if (!matmul_pack(in, out, matrix_transposed(weight->data, in), to_forward) ||
        (backward && !matmul_pack(out, in, matrix_rows(weight->data, in), to_backward))) {
        return;
    }
    layout->packed->weights[weight - layout->model->parameters] =
        (struct packed_weight){to_forward, to_backward};
}

static void place_keys(struct layout *layout, const struct product_key_shape *shape,
                       const struct parameter *keys) {
    float *packed = room(layout, product_key_packed_size(shape));
    if (!layout->filling) return;
    product_key_pack(shape, keys->data, packed);
    layout->packed->weights[keys - layout->model->parameters].forward = packed;
}

static void place_all(struct layout *layout, size_t lowest_backward_layer) {
    const struct model *model = layout->model;
    const struct product_key_shape shape = model_product_key_shape(&model->config);
    for (size_t l = 0; l < model->config.n_layers; l++) {
        const struct layer *layer = &model->layers[l];
        const struct parameter *weights[] = {
            layer->wq,           layer->wk,           layer->wv,           layer->wo,
            layer->w1,           layer->w2,           layer->w3,           layer->query_weight,
            layer->swilu_weight, layer->value_weight, layer->gating_weight};
        for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
            place_weight(layout, weights[i], l >= lowest_backward_layer);
        }
        if (layer->keys != NULL) place_keys(layout, &shape, layer->keys);
    }
    place_weight(layout, model->output, lowest_backward_layer < model->config.n_layers);
}

static size_t quarter_of_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages < 0 || size < 0 ? 0 : (size_t)pages / 4 * (size_t)size;
}

mneme_status packed_weights_open(struct packed_weights *packed, const struct model *model,
                                 size_t lowest_backward_layer, mneme_error *error) {
    struct layout layout = {.packed = packed, .model = model, .fits = true};
    *packed = (struct packed_weights){.parameters = model->parameters};
    place_all(&layout, lowest_backward_layer);
    if (!layout.fits || packed->arena.size > quarter_of_memory()) {
        *packed = (struct packed_weights){0};
        return MNEME_OK;
    }
    packed->weights = calloc(model->n_parameters, sizeof *packed->weights);
    mneme_status status = packed->weights == NULL
                              ? error_set_memory(error, "packed weights")
                              : arena_open(&packed->arena, "packed weights", error);
    if (status != MNEME_OK) {
        packed_weights_close(packed);
        return status;
    }
    layout.filling = true;
    profile_layer(PROFILE_PACKING, 0);
    place_all(&layout, lowest_backward_layer);
    return MNEME_OK;
}

void packed_weights_close(struct packed_weights *packed) {
    arena_close(&packed->arena);
    free(packed->weights);
    *packed = (struct packed_weights){0};
}

struct packed_weight packed_weights_of(const struct packed_weights *packed,
                                       const struct parameter *parameter) {
    if (packed->weights == NULL) return (struct packed_weight){0};
    return packed->weights[parameter - packed->parameters];
}
