#include "model/packed_weights.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/rehearsal.h"
#include "model/key_norm.h"
#include "nn/matmul.h"
#include "nn/product_key.h"
#include "profile/profile.h"

/* Where a parameter is multiplied with. */
struct uses {
    bool forward, backward;
};

static struct uses uses_of(const struct model *model, const struct parameter *p,
                           const struct packing *packing) {
    const struct gradients *trained = packing->trained;
    const bool linear = (p->roles & ROLE_LINEAR) != 0, output = (p->roles & ROLE_OUTPUT) != 0;
    const size_t l = output ? model->config.n_layers - 1 : p->layer;
    if (l < packing->first_layer || (trained != NULL && gradient_of(trained, p) != NULL)) {
        return (struct uses){false, false};
    }
    return (struct uses){.forward = linear || output || (p->roles & ROLE_KEYS) != 0,
                         .backward = (linear || output) && l >= packing->first_backward};
}

/* Lists the room for each packed weight; returns the number of pieces. */
static size_t list(struct packed_weights *packed, const struct model *model,
                   const struct packing *packing, struct arena_piece *pieces) {
    const struct product_key_shape shape = model_product_key_shape(&model->config);
    size_t n = 0;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        const struct uses uses = uses_of(model, p, packing);
        const size_t out = p->shape[0], in = p->shape[1];
        const size_t number = stored_size(parameter_stored(p).type);
        size_t size = 0;
        if (uses.forward) {
            size = p->roles & ROLE_KEYS ? product_key_packed_size(&shape)
                                        : matmul_packed_size(in, out);
            pieces[n++] = (struct arena_piece){&packed->weights[i].forward, size, number};
        }
        if (uses.forward && key_norm_of(model, p) != NULL) {
            pieces[n++] =
                (struct arena_piece){&packed->weights[i].scored, key_norm_size(p), sizeof(float)};
        }
        if (uses.backward) {
            size = matmul_packed_size(out, in);
            pieces[n++] = (struct arena_piece){&packed->weights[i].backward, size, number};
        }
    }
    return n;
}

static void pack_keys(const struct model *model, const struct parameter *keys,
                      const struct packed_weight *weight) {
    const struct product_key_shape shape = model_product_key_shape(&model->config);
    if (weight->scored != NULL) key_norm_forward(model, keys, weight->scored);
    product_key_pack(&shape, weight->scored != NULL ? weight->scored : keys->data, weight->forward);
}

/* Fills the room that a weight was given; one that the backend cannot pack has no packed form. */
static void pack(const struct model *model, const struct parameter *p,
                 struct packed_weight *weight) {
    const size_t out = p->shape[0], in = p->shape[1];
    const struct stored stored = parameter_stored(p);
    if (weight->forward == NULL) return;
    if (p->roles & ROLE_KEYS) {
        pack_keys(model, p, weight);
    } else if (!matmul_pack(in, out, matrix_of_columns(stored, in), weight->forward) ||
               (weight->backward != NULL &&
                !matmul_pack(out, in, matrix_of_rows(stored, in), weight->backward))) {
        *weight = (struct packed_weight){0};
    }
}

/* The plain form of a weight that is packed need not be in memory, too, where a file has it. */
static void forget(const struct parameter *p, const struct packed_weight *weight) {
    if (weight->forward != NULL) parameter_forget(p);
}

/* The same in a rehearsal: one after the other they are packed and forgotten. */
static void rehearse_forgetting(struct packed_weights *packed, const struct model *model,
                                const struct packing *packing) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (!p->in_file || !uses_of(model, p, packing).forward) continue;
        packed->forgotten += rehearsal_take(WEIGHTS_IN_FILE, parameter_bytes(p));
    }
}

static size_t quarter_of_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages < 0 || size < 0 ? 0 : (size_t)pages / 4 * (size_t)size;
}

mneme_status packed_weights_open(struct packed_weights *packed, const struct model *model,
                                 const struct packing *packing, mneme_error *error) {
    *packed =
        (struct packed_weights){.weights = calloc(model->n_parameters, sizeof *packed->weights)};
    struct arena_piece *pieces = calloc(2 * model->n_parameters, sizeof *pieces);
    mneme_status status = MNEME_OK;
    bool fits = false;
    if (packed->weights == NULL || pieces == NULL) {
        status = error_set_memory(error, "packed weights");
    } else {
        size_t n = list(packed, model, packing, pieces);
        fits = arena_bytes(n, pieces) <= quarter_of_memory();
        if (fits) rehearse_forgetting(packed, model, packing);
        if (fits) status = arena_layout_scratch(&packed->arena, n, pieces, "packed weights", error);
    }
    free(pieces);
    if (status != MNEME_OK || !fits) {
        packed_weights_close(packed);
        return status;
    }
    if (rehearsal_is_on()) return MNEME_OK;
    profile_layer(PROFILE_PACKING, 0);
    for (size_t i = 0; i < model->n_parameters; i++) {
        pack(model, &model->parameters[i], &packed->weights[i]);
        forget(&model->parameters[i], &packed->weights[i]);
    }
    return MNEME_OK;
}

void packed_weights_close(struct packed_weights *packed) {
    arena_close(&packed->arena);
    rehearsal_add(WEIGHTS_IN_FILE, packed->forgotten);
    free(packed->weights);
    *packed = (struct packed_weights){0};
}

struct packed_weight packed_weights_of(const struct packed_weights *packed,
                                       const struct parameter *parameter) {
    if (packed->weights == NULL) return (struct packed_weight){0};
    return packed->weights[parameter->index];
}
