#include "smf/memory_from_data.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/rehearsal.h"
#include "model/pass.h"
#include "nn/linear.h"
#include "simd/simd.h"
#include "train/text_order.h"

/* Tokens of a pass, unless a text is longer. */
#define BATCH_TOKENS 1024

/* What is gathered and made on the way. */
struct maker {
    struct model *model;
    const struct memory_data_settings *settings;
    size_t n_tokens;   /* gathered in the end */
    size_t n;          /* gathered so far */
    size_t dim, query; /* widths of inputs and queries */
    float *inputs;     /* [memory layers, n_tokens, dim] */
    float *queries;    /* [n_tokens, query] of a layer */
    float *squares;    /* [n_tokens, query] */
    float *mean, *std; /* [query] */
    uint32_t *order;   /* [n_tokens] */
    struct matmul_scratch matmul;
    struct arena arena;
};

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t tokens_in(const struct token_texts *texts) {
    size_t sum = 0;
    for (size_t i = 0; texts != NULL && i < texts->n; i++) sum += texts->lengths[i];
    return sum;
}

static size_t tokens_of(const struct token_texts *texts,
                        const struct memory_data_settings *settings) {
    const struct packed_text *packed = settings->packed;
    size_t sum = packed == NULL || packed->n_tokens == 0 ? 0 : packed->n_tokens - 1;
    return sum + tokens_in(texts) + tokens_in(settings->common);
}

static mneme_status maker_open(struct maker *m, struct model *model,
                               const struct token_texts *texts,
                               const struct memory_data_settings *settings, mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    const size_t wanted = larger(settings->n_tokens, memory->n_keys), row = sizeof(float);
    *m = (struct maker){.model = model,
                        .settings = settings,
                        .n_tokens = smaller(wanted, tokens_of(texts, settings)),
                        .dim = model->config.dim,
                        .query = memory->heads * memory->k_dim};
    const struct arena_piece pieces[] = {{&m->inputs, memory->n_layers * m->n_tokens, m->dim * row},
                                         {&m->queries, m->n_tokens, m->query * row},
                                         {&m->squares, m->n_tokens, m->query * row},
                                         {&m->mean, m->query, row},
                                         {&m->std, m->query, row},
                                         {&m->order, m->n_tokens, sizeof(uint32_t)}};
    TRY(arena_layout(&m->arena, sizeof pieces / sizeof *pieces, pieces, "keys from data", error));
    return matmul_scratch_open(&m->matmul, error);
}

static void maker_close(struct maker *m) {
    matmul_scratch_close(&m->matmul);
    arena_close(&m->arena);
}

/* The memory as it starts, with values of zero and nothing that is added to them. */
static void make_empty(struct model *model, uint64_t seed) {
    const struct memory_config *memory = &model->config.memory;
    model_initialize_memory(model, seed);
    memset(model->values, 0,
           model->n_tables * model_n_slots(&model->config) * memory->v_dim * sizeof(float));
    for (size_t i = 0; i < memory->n_layers; i++) {
        const struct layer *layer = &model->layers[memory->layers[i]];
        struct parameter *const biases[] = {layer->swilu_bias, layer->value_bias,
                                            layer->gating_bias};
        for (size_t b = 0; b < 3; b++) {
            if (biases[b] == NULL) continue;
            memset(biases[b]->data, 0, biases[b]->count * sizeof(float));
        }
    }
}

/* Runs a batch to the last memory layer, and keeps what each of them gets of the first `take`
 * tokens. */
static mneme_status gather_batch(struct maker *m, struct pass *pass, const struct batch *batch,
                                 mneme_error *error) {
    const struct memory_config *memory = &m->model->config.memory;
    const size_t take = smaller(batch->n_tokens, m->n_tokens - m->n);
    TRY(model_forward_to_memory(pass, batch, error));
    for (size_t i = 0; i < memory->n_layers; i++) {
        if (i > 0) TRY(model_forward_to_next_memory(pass, batch, error));
        memcpy(m->inputs + (i * m->n_tokens + m->n) * m->dim,
               pass->activations.layers[memory->layers[i]].ffn_normed,
               take * m->dim * sizeof(float));
    }
    m->n += take;
    if (m->settings->progress != NULL) {
        m->settings->progress(m->settings->user, m->n, m->n_tokens);
    }
    return MNEME_OK;
}

/* What is read: texts, and common ones, in turn. */
struct sources {
    struct text_order orders[2];
    size_t n, longest;
};

static mneme_status add_source(struct sources *sources, const struct maker *m,
                               const struct token_texts *texts, const struct packed_text *packed,
                               mneme_error *error) {
    const size_t longest = texts == NULL ? 0 : text_order_longest(texts, packed);
    if (longest == 0) return MNEME_OK;
    sources->longest = larger(sources->longest, longest);
    return text_order_open_packed(&sources->orders[sources->n++], texts, packed, m->settings->seed,
                                  RANDOM_STREAM_MEMORY_TEXTS, error);
}

static mneme_status gather(struct maker *m, struct sources *sources, mneme_error *error) {
    assert(sources->n > 0); /* there are texts */
    const size_t tokens = larger(BATCH_TOKENS, sources->longest);
    const struct pass_size size = {.tokens = tokens, .positions = tokens, .logits = 1};
    struct pass pass = {0};
    struct batch_builder builder = {0};
    mneme_status status = pass_open_sized(&pass, m->model, &size, false, error);
    THEN(batch_builder_open(&builder, tokens, error));
    for (size_t i = 0; status == MNEME_OK && m->n < m->n_tokens; i++) {
        text_order_fill(&sources->orders[i % sources->n], &builder, tokens);
        const struct batch batch = batch_builder_whole(&builder);
        status = gather_batch(m, &pass, &batch, error);
    }
    batch_builder_close(&builder);
    pass_close(&pass);
    return status;
}

static mneme_status gather_all(struct maker *m, const struct token_texts *texts,
                               mneme_error *error) {
    struct sources sources = {0};
    mneme_status status = add_source(&sources, m, texts, m->settings->packed, error);
    THEN(add_source(&sources, m, m->settings->common, NULL, error));
    THEN(gather(m, &sources, error));
    for (size_t i = 0; i < sources.n; i++) text_order_close(&sources.orders[i]);
    return status;
}

static void project(struct maker *m, const struct layer *layer, size_t memory_layer,
                    const float *bias) {
    linear_forward(&m->matmul, m->n, m->dim, m->query,
                   m->inputs + memory_layer * m->n_tokens * m->dim,
                   parameter_stored(layer->query_weight), NULL, bias, m->queries);
}

/* Means over the tokens of the columns of x [n, query]: an ascending chain each. */
static void column_means(const struct maker *m, const float *x, float *means) {
    memset(means, 0, m->query * sizeof *means);
    simd()->column_sums(m->n, m->query, m->query, x, means);
    for (size_t j = 0; j < m->query; j++) means[j] /= (float)m->n;
}

/* Means and standard deviations of the components of the queries. A component that does not vary
 * stays as it is. */
static void measure(struct maker *m) {
    column_means(m, m->queries, m->mean);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < m->n; i++) {
        for (size_t j = 0; j < m->query; j++) {
            float d = m->queries[i * m->query + j] - m->mean[j];
            m->squares[i * m->query + j] = d * d;
        }
    }
    column_means(m, m->squares, m->std);
    for (size_t j = 0; j < m->query; j++) m->std[j] = m->std[j] > 0.0f ? sqrtf(m->std[j]) : 1.0f;
}

/* The drawn projection becomes one with means of 0 and deviations of 1, or of the sharpness. */
static void make_queries(struct maker *m, size_t memory_layer) {
    const float sharpness = m->settings->sharpness > 0.0f ? m->settings->sharpness : 1.0f;
    const struct layer *layer = &m->model->layers[m->model->config.memory.layers[memory_layer]];
    project(m, layer, memory_layer, NULL);
    measure(m);
    for (size_t j = 0; j < m->query; j++) {
        float *row = layer->query_weight->data + j * m->dim;
        const float divisor = m->std[j] / sharpness;
        for (size_t i = 0; i < m->dim; i++) row[i] /= divisor;
        layer->query_bias->data[j] = -m->mean[j] / divisor;
    }
}

/* key [half] = the half-query at unit length. */
static void make_key(size_t half, const float *query, float *key) {
    const float length = sqrtf(simd()->reduce_sum_squares(half, query));
    const float divisor = length > 0.0f ? length : 1.0f;
    for (size_t i = 0; i < half; i++) key[i] = query[i] / divisor;
}

/* Of each head and half, the half-queries of other tokens. */
static void make_keys(struct maker *m, size_t memory_layer) {
    const struct memory_config *memory = &m->model->config.memory;
    const struct layer *layer = &m->model->layers[memory->layers[memory_layer]];
    const size_t half = memory->k_dim / 2, halves = memory->heads * 2;
    project(m, layer, memory_layer, layer->query_bias->data);
    for (size_t h = 0; h < halves; h++) {
        random_permutation(m->settings->seed, RANDOM_STREAM_MEMORY_KEYS,
                           (memory_layer * halves + h) * m->n, m->n, m->order);
        for (size_t k = 0; k < memory->n_keys; k++) {
            const float *query = m->queries + m->order[k % m->n] * m->query + h * half;
            make_key(half, query, layer->keys->data + (h * memory->n_keys + k) * half);
        }
    }
}

static mneme_status check(const struct model *model, const struct token_texts *texts,
                          const struct memory_data_settings *settings, mneme_error *error) {
    if (!model->config.memory.query_bias) {
        return error_set(error, MNEME_BAD_INPUT,
                         "a memory with keys from data needs the queries' bias (`query_bias`)");
    }
    if (tokens_of(texts, settings) > 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "there is no text to make a memory's keys from");
}

static mneme_status check_finite(const struct model *model, mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    for (size_t i = 0; i < memory->n_layers; i++) {
        const struct layer *layer = &model->layers[memory->layers[i]];
        if (simd()->all_finite(layer->query_weight->count, layer->query_weight->data) &&
            simd()->all_finite(layer->query_bias->count, layer->query_bias->data) &&
            simd()->all_finite(layer->keys->count, layer->keys->data)) {
            continue;
        }
        return error_set(error, MNEME_FAILED,
                         "layer %zu: what the memory gets of the text is not finite",
                         memory->layers[i]);
    }
    return MNEME_OK;
}

mneme_status memory_from_data(struct model *model, const struct token_texts *texts,
                              const struct memory_data_settings *settings, mneme_error *error) {
    struct maker m = {0};
    TRY(check(model, texts, settings, error));
    if (!rehearsal_is_on()) make_empty(model, settings->seed);
    mneme_status status = maker_open(&m, model, texts, settings, error);
    THEN(gather_all(&m, texts, error));
    for (size_t i = 0; status == MNEME_OK && i < model->config.memory.n_layers; i++) {
        make_queries(&m, i);
        make_keys(&m, i);
    }
    THEN(check_finite(model, error));
    maker_close(&m);
    return rehearsal_ends(status);
}
