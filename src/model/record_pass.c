#include "model/record_pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/memory_layer.h"

/* As rows of a matrix. */
static void record(struct recorder *recorder, const struct parameter *p, const char *kind,
                   const float *data) {
    size_t rows = p->rank == 2 ? p->shape[0] : 1;
    recorder_add(recorder, TENSOR_F32, rows, p->count / rows, data, "%s.%s", kind, p->name);
}

/* Room for a recording; NULL without memory, which the recorder then says. */
static void *room(struct recorder *recorder, size_t count) {
    void *bytes = calloc(count + 1, sizeof(float));
    recorder->failed |= bytes == NULL;
    return bytes;
}

/* A parameter's numbers, widened. */
static void record_weight(struct recorder *recorder, const struct parameter *p, const char *kind) {
    float *wide = p->data == NULL ? room(recorder, p->count) : NULL;
    if (wide != NULL) parameter_read(p, 0, p->count, wide);
    record(recorder, p, kind, p->data == NULL ? wide : p->data);
    free(wide);
}

void record_parameters(const struct pass *pass) {
    if (pass->recorder == NULL) return;
    const struct model *model = pass->model;
    const struct adapter_set *set = pass->adapters;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        if (p->kind == PARAMETER_COMMON) record_weight(pass->recorder, p, "before");
    }
    for (size_t i = 0; set != NULL && i < set->n_adapters; i++) {
        record(pass->recorder, &set->adapters[i].a, "before", set->adapters[i].a.data);
        record(pass->recorder, &set->adapters[i].b, "before", set->adapters[i].b.data);
    }
}

/* The layer's recorded activations in the order of their table. */
static void record_activations(const struct pass *pass, size_t l) {
    const struct model_config *config = &pass->model->config;
    struct activation_line lines[LAYER_ACTIVATIONS];
    layer_activation_lines(config, model_layer_has_ffn(config, l),
                           model_layer_has_memory(config, l), lines);
    for (size_t i = 0; i < LAYER_ACTIVATIONS; i++) {
        if (!lines[i].exists || lines[i].recorded == NULL) continue;
        recorder_add(pass->recorder, lines[i].type, pass->n_tokens, lines[i].width,
                     pass->activations.layers[l].arrays[i], "forward.layers.%zu.%s", l,
                     lines[i].recorded);
    }
}

/* The score of each read: a chain over the halves of query and sub-keys each, and their sum, as the
 * lookup has it. */
static void record_scores(const struct pass *pass, size_t l) {
    const struct product_key_shape shape = model_product_key_shape(&pass->model->config);
    const struct layer_activations *a = &pass->activations.layers[l];
    size_t per_token = shape.heads * shape.knn, n = pass->n_tokens * per_token;
    const float *keys = memory_layer_scored_keys(pass, l);
    float *scores = room(pass->recorder, n);
    for (size_t i = 0; scores != NULL && i < n; i++) {
        size_t lookup = i / shape.knn;
        const float *query = a->query + lookup * 2 * shape.half;
        const float *row =
            keys + (lookup % shape.heads * 2 * shape.n_keys + (size_t)a->slot_rows[i]) * shape.half;
        const float *column =
            row +
            (shape.n_keys + (size_t)a->slot_columns[i] - (size_t)a->slot_rows[i]) * shape.half;
        float first = 0.0f, second = 0.0f;
        for (size_t j = 0; j < shape.half; j++) {
            first = fmaf(query[j], row[j], first);
            second = fmaf(query[shape.half + j], column[j], second);
        }
        scores[i] = first + second;
    }
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, per_token, scores,
                 "forward.layers.%zu.scores", l);
    free(scores);
}

static int by_number(const void *a, const void *b) {
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The slots that the layer read, each once, ascending; *n of them. */
static int32_t *list_slots(const struct pass *pass, size_t l, size_t *n) {
    const struct memory_config *memory = &pass->model->config.memory;
    size_t all = pass->n_tokens * memory->heads * memory->knn;
    int32_t *slots = room(pass->recorder, all);
    *n = 0;
    if (slots == NULL) return NULL;
    memcpy(slots, pass->activations.layers[l].slots, all * sizeof *slots);
    qsort(slots, all, sizeof *slots, by_number);
    for (size_t i = 0; i < all; i++) {
        if (*n == 0 || slots[i] != slots[*n - 1]) slots[(*n)++] = slots[i];
    }
    return slots;
}

/* The rows of a value table that the slots are. */
static void record_value_rows(const struct pass *pass, size_t l, const struct parameter *table,
                              const int32_t *slots, size_t n, const char *name) {
    if (table == NULL) return;
    size_t v_dim = table->shape[1];
    float *rows = room(pass->recorder, n * v_dim);
    for (size_t i = 0; rows != NULL && i < n; i++) {
        parameter_read(table, (size_t)slots[i] * v_dim, v_dim, rows + i * v_dim);
    }
    recorder_add(pass->recorder, TENSOR_F32, n, v_dim, rows, "forward.layers.%zu.%s", l, name);
    free(rows);
}

static void record_read_rows(const struct pass *pass, size_t l) {
    const struct layer *layer = &pass->model->layers[l];
    size_t n;
    int32_t *slots = list_slots(pass, l, &n);
    recorder_add(pass->recorder, TENSOR_I32, n, 1, slots, "forward.layers.%zu.read_slots", l);
    if (slots != NULL) {
        record_value_rows(pass, l, layer->values, slots, n, "read_values");
        record_value_rows(pass, l, layer->values_u, slots, n, "read_values_u");
    }
    free(slots);
}

/* What comes out of a memory layer, before the stream is added. It is not kept, and made again. */
static void record_memory_output(struct pass *pass, size_t l) {
    size_t dim = pass->model->config.dim;
    float *out = room(pass->recorder, pass->n_tokens * dim);
    if (out != NULL) memory_layer_read(pass, l, pass->n_tokens, out);
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, dim, out,
                 "forward.layers.%zu.memory_output", l);
    free(out);
}

static void record_layer(struct pass *pass, const struct batch *batch, size_t l) {
    model_restore_layer(pass, batch, l, true);
    record_activations(pass, l);
    if (!model_layer_has_memory(&pass->model->config, l)) return;
    record_scores(pass, l);
    record_read_rows(pass, l);
    record_memory_output(pass, l);
}

void record_forward(struct pass *pass, const struct batch *batch) {
    if (pass->recorder == NULL) return;
    const struct model_config *config = &pass->model->config;
    const struct activations *a = &pass->activations;
    for (size_t l = 0; l < config->n_layers; l++) record_layer(pass, batch, l);
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, config->dim, a->output,
                 "forward.output");
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, config->dim, a->output_normed,
                 "forward.output_norm");
}

float *record_logits_begin(const struct pass *pass) {
    if (pass->recorder == NULL) return NULL;
    return room(pass->recorder, pass->n_tokens * pass->model->config.vocab_size);
}

void record_logits_block(const struct pass *pass, size_t n, float *gradients) {
    const struct activations *a = &pass->activations;
    const size_t vocab_size = pass->model->config.vocab_size;
    if (gradients == NULL) return;
    for (size_t i = 0; i < n; i++) {
        memcpy(gradients + a->predicting[i] * vocab_size, a->logits + i * vocab_size,
               vocab_size * sizeof *gradients);
    }
}

void record_loss(const struct pass *pass, float *gradients) {
    if (gradients == NULL) return;
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, 1, pass->activations.losses,
                 "forward.losses");
    recorder_add(pass->recorder, TENSOR_F32, pass->n_tokens, pass->model->config.vocab_size,
                 gradients, "backward.logits");
    free(gradients);
}

void record_gradients(struct recorder *recorder, const struct gradients *gradients, size_t n,
                      struct parameter *const *parameters) {
    for (size_t i = n; i-- > 0;) {
        const float *gradient = gradient_of(gradients, parameters[i]);
        if (gradient != NULL) record(recorder, parameters[i], "gradient", gradient);
    }
}

void record_weights(struct recorder *recorder, size_t n, struct parameter *const *parameters) {
    for (size_t i = 0; i < n; i++) record_weight(recorder, parameters[i], "weight");
}
