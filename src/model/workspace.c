#include "model/workspace.h"

#include <stdlib.h>

#include "model/parameter.h"
#include "nn/rope.h"

#define LAYER_ACTIVATION(member, type, width, exists, kept, recorded) \
    _Static_assert(sizeof(type) == sizeof(float), #member ": elements have 4 bytes");
#include "model/layer_activations.def"
#undef LAYER_ACTIVATION

#define TYPE_OF(type) _Generic((type){0}, float : TENSOR_F32, int32_t : TENSOR_I32)

void layer_activation_lines(const struct model_config *config, bool ffn, bool memory,
                            struct activation_line lines[LAYER_ACTIVATIONS]) {
    const struct layer_sizes sizes = layer_sizes(config), *s = &sizes;
    const struct memory_config *m = &config->memory;
    const bool beside = m->placement == MEMORY_BESIDE;
#define LAYER_ACTIVATION(member, type, width, exists, kept, recorded) \
    lines[ACTIVATION_##member] =                                      \
        (struct activation_line){width, recorded, TYPE_OF(type), exists, kept};
#include "model/layer_activations.def"
#undef LAYER_ACTIVATION
}

/* Arrays outside the layers, at most. */
#define OTHER_ARRAYS 12

static void lines_of_layer(const struct model_config *config, size_t l,
                           struct activation_line lines[LAYER_ACTIVATIONS]) {
    layer_activation_lines(config, model_layer_has_ffn(config, l),
                           model_layer_has_memory(config, l), lines);
}

/* Whether layer l has the array for itself. */
static bool is_own(const struct activation_line *line, size_t l, const struct pass_size *size,
                   bool training) {
    return training && line->exists && l >= size->first_kept && (line->kept || !size->checkpoints);
}

/* Appends the layers' arrays: each one's own, and a `shared` one where some layer has none of its
 * own. Returns the number of pieces. */
static size_t list_layers(struct activations *a, struct layer_activations *shared,
                          const struct model_config *config, const struct pass_size *size,
                          bool training, struct arena_piece *pieces) {
    struct activation_line lines[LAYER_ACTIVATIONS];
    size_t n = 0, shared_widths[LAYER_ACTIVATIONS] = {0};
    for (size_t l = 0; l < config->n_layers; l++) {
        lines_of_layer(config, l, lines);
        for (size_t i = 0; i < LAYER_ACTIVATIONS; i++) {
            const size_t row = lines[i].width * sizeof(float);
            if (is_own(&lines[i], l, size, training)) {
                pieces[n++] = (struct arena_piece){&a->layers[l].arrays[i], size->tokens, row};
            } else if (lines[i].exists) {
                shared_widths[i] = row;
            }
        }
    }
    for (size_t i = 0; i < LAYER_ACTIVATIONS; i++) {
        if (shared_widths[i] == 0) continue;
        pieces[n++] = (struct arena_piece){&shared->arrays[i], size->tokens, shared_widths[i]};
    }
    return n;
}

/* Once they have their place. */
static void share(struct activations *a, const struct layer_activations *shared,
                  const struct model_config *config, bool training) {
    struct activation_line lines[LAYER_ACTIVATIONS];
    for (size_t l = 0; l < config->n_layers; l++) {
        lines_of_layer(config, l, lines);
        for (size_t i = 0; i < LAYER_ACTIVATIONS; i++) {
            void **array = &a->layers[l].arrays[i];
            if (*array == NULL && (lines[i].exists || !training)) *array = shared->arrays[i];
        }
    }
}

static size_t list_others(struct activations *a, const struct model_config *config,
                          const struct pass_size *size, bool training, struct arena_piece *pieces) {
    const struct layer_sizes s = layer_sizes(config);
    const size_t n_memories = config->memory.n_layers;
    const bool peer = config->memory.peer_variant;
    const size_t tokens = size->tokens;
    const struct {
        void *array;
        size_t rows, width;
        bool exists;
    } arrays[OTHER_ARRAYS] = {
        {&a->output, tokens, s.dim, true},
        {&a->output_normed, tokens, s.dim, true},
        {&a->output_norm_r, tokens, 1, true},
        {&a->losses, tokens, 1, true},
        {&a->logits, size->logits, s.vocab, true},
        {&a->predicting, size->logits, sizeof *a->predicting / sizeof(float), true},
        {&a->predicted, size->logits, 1, true},
        {&a->predicting_normed, size->logits, s.dim, true},
        {&a->predicting_losses, size->logits, 1, true},
        {&a->d_reads, tokens, n_memories * s.value, training && n_memories > 0},
        {&a->d_expert_hidden, tokens, n_memories * s.reads, training && n_memories > 0 && peer},
        {&a->expert_inputs, tokens, n_memories * s.value, training && n_memories > 0 && peer}};
    size_t n = 0;
    for (size_t i = 0; i < OTHER_ARRAYS; i++) {
        if (!arrays[i].exists) continue;
        pieces[n++] =
            (struct arena_piece){arrays[i].array, arrays[i].rows, arrays[i].width * sizeof(float)};
    }
    return n;
}

mneme_status activations_open(struct activations *a, const struct model_config *config,
                              const struct pass_size *size, bool training, mneme_error *error) {
    *a = (struct activations){.layers = calloc(config->n_layers, sizeof *a->layers),
                              .logits_rows = size->logits};
    struct layer_activations shared = {0};
    struct arena_piece *pieces =
        calloc((config->n_layers + 1) * LAYER_ACTIVATIONS + OTHER_ARRAYS, sizeof *pieces);
    mneme_status status = MNEME_OK;
    if (a->layers == NULL || pieces == NULL) {
        status = error_set_memory(error, "activations");
    } else {
        size_t n = list_layers(a, &shared, config, size, training, pieces);
        n += list_others(a, config, size, training, pieces + n);
        status = arena_layout(&a->arena, n, pieces, "activations", error);
    }
    if (status == MNEME_OK) share(a, &shared, config, training);
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

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static mneme_status place(struct scratch *scratch, const struct model_config *config,
                          const struct pass_size *size, bool training, mneme_error *error) {
    const struct layer_sizes s = layer_sizes(config);
    const size_t n = training ? size->tokens : 0, n_memory = config->memory.n_layers > 0 ? n : 0;
    const size_t wide = larger(larger(s.q, s.hidden), s.value), row = sizeof(float);
    const size_t key_layers = !config->memory.lookup_norm ? 0
                              : training                  ? config->memory.n_layers
                                                          : 1;
    const size_t angles = model_head_dim(config) * sizeof(float);
    const struct arena_piece pieces[] = {
        {&scratch->rope_cosine, size->positions, angles},
        {&scratch->rope_sine, size->positions, angles},
        {&scratch->scored_keys, key_layers, s.keys * (s.half_key + 1) * row},
        {&scratch->d_stream, n, s.dim * row},
        {&scratch->d_normed, n, s.dim * row},
        {&scratch->d_branch, n, s.dim * row},
        {&scratch->d_wide1, n, wide * row},
        {&scratch->d_wide2, n, wide * row},
        {&scratch->d_k, n, s.kv * row},
        {&scratch->d_v, n, s.kv * row},
        {&scratch->d_query, n_memory, s.query * row},
        {&scratch->d_weights, n_memory, s.reads * row},
        {&scratch->d_gating, n_memory, row},
        {&scratch->d_scale, n_memory, row}};
    return arena_layout(&scratch->arena, sizeof pieces / sizeof *pieces, pieces, "activations",
                        error);
}

static mneme_status open_products(struct scratch *scratch, const struct model_config *config,
                                  const struct pass_size *size, bool cached, mneme_error *error) {
    scratch->attention_shape = (struct attention_shape){.heads = config->n_heads,
                                                        .kv_heads = config->n_kv_heads,
                                                        .head_dim = model_head_dim(config),
                                                        .max_positions = size->positions};
    if (cached) {
        TRY(matmul_scratch_open_rows(&scratch->matmul, size->tokens, error));
        return attention_scratch_open_cached(&scratch->attention, &scratch->attention_shape, error);
    }
    TRY(matmul_scratch_open(&scratch->matmul, error));
    return attention_scratch_open(&scratch->attention, &scratch->attention_shape, error);
}

/* What the memory layers, and gradients of rows that were read, bring. */
static mneme_status open_lookups(struct scratch *scratch, const struct model_config *config,
                                 size_t max_tokens, bool training, mneme_error *error) {
    const struct memory_config *memory = &config->memory;
    if (memory->n_layers > 0) {
        scratch->product_key_shape = model_product_key_shape(config);
        TRY(product_key_scratch_open(&scratch->product_key, &scratch->product_key_shape, error));
    }
    if (!training) return MNEME_OK;
    /* The value tables' reads of all memory layers, or one layer's reads of both key halves. */
    size_t reads = memory->n_layers == 0 ? 0 : memory->heads * memory->knn;
    size_t per_token = larger(1, reads * larger(2, memory->n_layers));
    return row_scatter_open(&scratch->scatter, max_tokens * per_token, error);
}

mneme_status scratch_open(struct scratch *scratch, const struct model_config *config,
                          const struct pass_size *size, bool cached, bool training,
                          mneme_error *error) {
    *scratch = (struct scratch){0};
    mneme_status status = place(scratch, config, size, training, error);
    THEN(open_products(scratch, config, size, cached, error));
    THEN(open_lookups(scratch, config, size->tokens, training, error));
    if (status != MNEME_OK) {
        scratch_close(scratch);
        return status;
    }
    const struct rope rope = model_rope(config);
    rope_table(size->positions, model_head_dim(config), &rope, scratch->rope_cosine,
               scratch->rope_sine);
    return MNEME_OK;
}

void scratch_close(struct scratch *scratch) {
    row_scatter_close(&scratch->scatter);
    product_key_scratch_close(&scratch->product_key);
    attention_scratch_close(&scratch->attention);
    matmul_scratch_close(&scratch->matmul);
    arena_close(&scratch->arena);
    *scratch = (struct scratch){0};
}
