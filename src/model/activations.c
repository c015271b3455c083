#include "model/activations.h"

#include <stdlib.h>

/* Arrays outside the layers, at most. */
#define OTHER_ARRAYS 8

/* Appends the arrays of a layer; returns the new number of pieces. */
static size_t list_layer(const struct model_config *config, bool ffn, bool memory,
                         struct layer_activations *layer, size_t max_tokens,
                         struct arena_piece *pieces, size_t n) {
    struct activation_line lines[LAYER_ACTIVATIONS];
    layer_activation_lines(config, ffn, memory, lines);
    for (size_t i = 0; i < LAYER_ACTIVATIONS; i++) {
        if (!lines[i].exists) continue;
        pieces[n++] =
            (struct arena_piece){&layer->arrays[i], max_tokens, lines[i].width * sizeof(float)};
    }
    return n;
}

static size_t list_layers(struct activations *a, const struct model_config *config,
                          size_t max_tokens, bool training, struct arena_piece *pieces) {
    size_t n = 0;
    if (!training) {
        return list_layer(config, true, config->memory.n_layers > 0, &a->layers[0], max_tokens,
                          pieces, n);
    }
    for (size_t l = 0; l < config->n_layers; l++) {
        const bool memory = model_layer_has_memory(config, l);
        n = list_layer(config, !memory, memory, &a->layers[l], max_tokens, pieces, n);
    }
    return n;
}

static size_t list_others(struct activations *a, const struct model_config *config,
                          size_t max_tokens, bool training, struct arena_piece *pieces) {
    const struct layer_sizes s = layer_sizes(config);
    const size_t n_memories = config->memory.n_layers;
    const bool peer = config->memory.peer_variant;
    const struct {
        float **array;
        size_t width;
        bool exists;
    } arrays[OTHER_ARRAYS] = {
        {&a->output, s.dim, true},
        {&a->output_normed, s.dim, true},
        {&a->output_norm_r, 1, true},
        {&a->logits, s.vocab, true},
        {&a->losses, 1, true},
        {&a->d_reads, n_memories * s.value, training && n_memories > 0},
        {&a->d_expert_hidden, n_memories * s.reads, training && n_memories > 0 && peer},
        {&a->expert_inputs, n_memories * s.value, training && n_memories > 0 && peer}};
    size_t n = 0;
    for (size_t i = 0; i < OTHER_ARRAYS; i++) {
        if (!arrays[i].exists) continue;
        pieces[n++] =
            (struct arena_piece){arrays[i].array, max_tokens, arrays[i].width * sizeof(float)};
    }
    return n;
}

mneme_status activations_open(struct activations *a, const struct model_config *config,
                              size_t max_tokens, bool training, mneme_error *error) {
    *a = (struct activations){.layers = calloc(config->n_layers, sizeof *a->layers)};
    struct arena_piece *pieces =
        calloc(config->n_layers * LAYER_ACTIVATIONS + OTHER_ARRAYS, sizeof *pieces);
    mneme_status status = MNEME_OK;
    if (a->layers == NULL || pieces == NULL) {
        status = error_set_memory(error, "activations");
    } else {
        size_t n = list_layers(a, config, max_tokens, training, pieces);
        n += list_others(a, config, max_tokens, training, pieces + n);
        status = arena_layout(&a->arena, n, pieces, "activations", error);
    }
    for (size_t l = 1; status == MNEME_OK && !training && l < config->n_layers; l++) {
        a->layers[l] = a->layers[0];
    }
    free(pieces);
    if (status != MNEME_OK) activations_close(a);
    return status;
}

void activations_close(struct activations *a) {
    arena_close(&a->arena);
    free(a->layers);
    *a = (struct activations){0};
}

struct product_key_reads layer_reads(const struct layer_activations *layer) {
    return (struct product_key_reads){.slots = layer->slots,
                                      .rows = layer->slot_rows,
                                      .columns = layer->slot_columns,
                                      .weights = layer->slot_weights};
}
