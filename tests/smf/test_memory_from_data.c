/* An empty memory with keys from data: what its queries and keys are, against plain sums in double;
 * that it changes nothing; and how it routes. */

#include <check.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/batch_builder.h"
#include "model/memory_layer.h"
#include "model/tiny_model.h"
#include "smf/memory_from_data.h"
#include "tests/assertions.h"

#define N_TEXTS 60
#define MOST_TOKENS 2048

/* Two memories, beside and without projections, as an imported model gets them. */
static struct model_config empty_config(void) {
    struct model_config config = tiny_model_config();
    config.memory = (struct memory_config){.n_layers = 2,
                                           .layers = {0, 2},
                                           .placement = MEMORY_BESIDE,
                                           .start = MEMORY_FROM_DATA,
                                           .scale = 1.0f,
                                           .n_keys = 32,
                                           .heads = 2,
                                           .knn = 4,
                                           .k_dim = 14,
                                           .v_dim = config.dim,
                                           .query_bias = true};
    return config;
}

/* Texts of random tokens, of 6 to 25 inputs each. */
static void make_texts(struct token_texts *texts) {
    mneme_error error = {0};
    *texts = (struct token_texts){.n = N_TEXTS,
                                  .starts = malloc(N_TEXTS * sizeof(size_t)),
                                  .lengths = malloc(N_TEXTS * sizeof(size_t))};
    for (size_t i = 0; i < N_TEXTS; i++) {
        texts->starts[i] = texts->tokens.n;
        texts->lengths[i] = 6 + random_below(5, 1, i, 20);
        for (size_t t = 0; t <= texts->lengths[i]; t++) {
            const int32_t token = (int32_t)random_below(5, 2, texts->tokens.n, 37);
            assert_ok(token_list_append(&texts->tokens, &token, 1, &error), &error);
        }
    }
}

static void make_memory(struct model *model, const struct model_config *config,
                        const struct token_texts *texts, size_t n_tokens) {
    const struct memory_data_settings settings = {.n_tokens = n_tokens, .seed = 3};
    mneme_error error = {0};
    assert_ok(model_open(config, model, &error), &error);
    model_initialize(model, 7);
    assert_ok(memory_from_data(model, texts, &settings, &error), &error);
}

/* A batch of all texts. */
static void open_batch(struct batch_builder *builder, const struct token_texts *texts) {
    mneme_error error = {0};
    assert_ok(batch_builder_open(builder, MOST_TOKENS, &error), &error);
    batch_builder_clear(builder);
    for (size_t i = 0; i < texts->n; i++) ck_assert(batch_builder_add_text(builder, texts, i));
}

/* Queries of the layer over all n tokens: each component has mean 0 and deviation 1. */
static void check_queries(size_t n, size_t width, const float *query) {
    for (size_t j = 0; j < width; j++) {
        double sum = 0.0, squares = 0.0;
        for (size_t i = 0; i < n; i++) {
            sum += (double)query[i * width + j];
            squares += (double)query[i * width + j] * (double)query[i * width + j];
        }
        ck_assert_double_le(fabs(sum / (double)n), 1e-5);
        ck_assert_double_le(fabs(squares / (double)n - 1.0), 1e-4);
    }
}

/* The token whose half-query, at unit length, is the key; n for none. */
static size_t token_of_key(size_t n, size_t stride, size_t half, const float *query,
                           const float *key) {
    for (size_t i = 0; i < n; i++) {
        double length = 0.0, worst = 0.0;
        for (size_t j = 0; j < half; j++) {
            length += (double)query[i * stride + j] * (double)query[i * stride + j];
        }
        for (size_t j = 0; j < half; j++) {
            worst =
                fmax(worst, fabs((double)query[i * stride + j] / sqrt(length) - (double)key[j]));
        }
        if (worst < 1e-5) return i;
    }
    return n;
}

/* Each sub-key is a token's half-query, and those of a half are of different tokens. */
static void check_keys(const struct memory_config *memory, size_t n, const float *query,
                       const float *keys) {
    const size_t half = memory->k_dim / 2, stride = memory->heads * memory->k_dim;
    for (size_t h = 0; h < memory->heads * 2; h++) {
        bool *taken = calloc(n + 1, sizeof *taken);
        for (size_t k = 0; k < memory->n_keys; k++) {
            size_t token = token_of_key(n, stride, half, query + h * half,
                                        keys + (h * memory->n_keys + k) * half);
            ck_assert_uint_lt(token, n);
            ck_assert(!taken[token]);
            taken[token] = true;
        }
        free(taken);
    }
}

/* With a norm of queries and keys the sub-keys that are scored are as long as those of data. */
static void check_scored_keys(const struct pass *pass, size_t l) {
    const struct parameter *keys = pass->model->layers[l].keys;
    const float *scored = memory_layer_scored_keys(pass, l);
    for (size_t i = 0; i < keys->count; i++) {
        ck_assert_float_eq_tol(scored[i], keys->data[i], 1e-3f);
    }
}

/* Without and with a norm of queries and keys. */
START_TEST(queries_and_keys) {
    struct model_config config = empty_config();
    config.memory.lookup_norm = _i == 1;
    struct token_texts texts;
    struct batch_builder builder;
    struct model model;
    struct pass pass;
    mneme_error error = {0};
    make_texts(&texts);
    make_memory(&model, &config, &texts, MOST_TOKENS);
    open_batch(&builder, &texts);
    const struct batch batch = batch_builder_whole(&builder);
    assert_ok(pass_open(&pass, &model, MOST_TOKENS, true, &error), &error);
    assert_ok(model_forward(&pass, &batch, NULL, &error), &error);
    for (size_t m = 0; m < 2; m++) {
        const size_t l = config.memory.layers[m];
        const struct layer_activations *a = &pass.activations.layers[l];
        const float *query = _i == 1 ? a->query_projected : a->query;
        check_scored_keys(&pass, l);
        check_queries(batch.n_tokens, config.memory.heads * config.memory.k_dim, query);
        check_keys(&config.memory, batch.n_tokens, query, model.layers[l].keys->data);
        ck_assert(model.layers[l].memory_scale->data[0] == 1.0f);
        for (size_t i = 0; i < model.layers[l].values->count; i++) {
            ck_assert(model.layers[l].values->data[i] == 0.0f);
        }
    }
    ck_assert_mem_ne(model.layers[0].keys->data, model.layers[2].keys->data,
                     model.layers[0].keys->count * sizeof(float));
    pass_close(&pass);
    batch_builder_close(&builder);
    token_texts_free(&texts);
    model_close(&model);
}
END_TEST

/* The same bits whatever the threads; other keys from another seed's texts. */
START_TEST(same_bits) {
    const struct model_config config = empty_config();
    struct token_texts texts;
    struct model one, many;
    int threads = omp_get_max_threads();
    make_texts(&texts);
    omp_set_num_threads(1);
    make_memory(&one, &config, &texts, 300);
    omp_set_num_threads(5);
    make_memory(&many, &config, &texts, 300);
    omp_set_num_threads(threads);
    ck_assert_mem_eq(one.arena.base, many.arena.base, one.arena.size);
    model_close(&one);
    model_close(&many);
    token_texts_free(&texts);
}
END_TEST

/* Nothing but the memory changes, and the logits do not: of any form of the layer. */
static void check_empty(struct model_config config) {
    struct model_config base_config = config;
    struct tiny_model base, tiny;
    struct token_texts texts;
    mneme_error error = {0};
    const struct memory_data_settings settings = {.n_tokens = 500, .seed = 9};
    base_config.memory = (struct memory_config){0};
    make_texts(&texts);
    tiny_model_open(&base, &base_config);
    tiny_model_open(&tiny, &config);
    for (size_t i = 0; i < base.model.n_parameters; i++) {
        const struct parameter *from = &base.model.parameters[i];
        memcpy(model_parameter(&tiny.model, from->name)->data, from->data,
               from->count * sizeof(float));
    }
    assert_ok(memory_from_data(&tiny.model, &texts, &settings, &error), &error);
    assert_ok(model_forward(&base.pass, &base.batch, NULL, &error), &error);
    assert_ok(model_forward(&tiny.pass, &tiny.batch, NULL, &error), &error);
    ck_assert_mem_eq(base.pass.activations.output_normed, tiny.pass.activations.output_normed,
                     base.batch.n_tokens * config.dim * sizeof(float));
    token_texts_free(&texts);
    tiny_model_close(&base);
    tiny_model_close(&tiny);
}

START_TEST(changes_nothing) {
    struct model_config config = empty_config();
    check_empty(config);
    config.memory.swilu_projection = config.memory.value_proj = config.memory.gated = true;
    config.memory.lookup_norm = true;
    config.init = INIT_OF_LINGUA;
    check_empty(config);
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.peer_variant = config.memory.share_values = true;
    check_empty(config);
}
END_TEST

/* A memory in place of the feed-forward network gives nothing either, and upper layers' keys fit
 * what they then get. */
START_TEST(in_place) {
    struct model_config config = empty_config();
    config.memory.placement = MEMORY_REPLACES;
    struct token_texts texts;
    struct batch_builder builder;
    struct model model;
    struct pass pass;
    mneme_error error = {0};
    make_texts(&texts);
    make_memory(&model, &config, &texts, MOST_TOKENS);
    open_batch(&builder, &texts);
    const struct batch batch = batch_builder_whole(&builder);
    assert_ok(pass_open(&pass, &model, MOST_TOKENS, true, &error), &error);
    assert_ok(model_forward(&pass, &batch, NULL, &error), &error);
    check_queries(batch.n_tokens, config.memory.heads * config.memory.k_dim,
                  pass.activations.layers[2].query);
    ck_assert_mem_eq(pass.activations.layers[0].middle, pass.activations.layers[1].input,
                     batch.n_tokens * config.dim * sizeof(float));
    pass_close(&pass);
    batch_builder_close(&builder);
    token_texts_free(&texts);
    model_close(&model);
}
END_TEST

/* A sharpness of 4 multiplies queries alone: exactly, as a power of two. */
START_TEST(sharper) {
    const struct model_config config = empty_config();
    struct memory_data_settings settings = {.n_tokens = 500, .seed = 3};
    struct token_texts texts;
    struct model plain, sharp;
    mneme_error error = {0};
    make_texts(&texts);
    make_memory(&plain, &config, &texts, 500);
    assert_ok(model_open(&config, &sharp, &error), &error);
    model_initialize(&sharp, 7);
    settings.sharpness = 4.0f;
    assert_ok(memory_from_data(&sharp, &texts, &settings, &error), &error);
    const struct layer *a = &plain.layers[2], *b = &sharp.layers[2];
    for (size_t i = 0; i < a->query_weight->count; i++) {
        ck_assert(b->query_weight->data[i] == 4.0f * a->query_weight->data[i]);
    }
    for (size_t i = 0; i < a->query_bias->count; i++) {
        ck_assert(b->query_bias->data[i] == 4.0f * a->query_bias->data[i]);
    }
    ck_assert_mem_eq(b->keys->data, a->keys->data, a->keys->count * sizeof(float));
    token_texts_free(&texts);
    model_close(&plain);
    model_close(&sharp);
}
END_TEST

START_TEST(refused) {
    struct model_config config = empty_config();
    struct token_texts texts, none = {0};
    struct model model;
    mneme_error error = {0};
    const struct memory_data_settings settings = {.n_tokens = 500, .seed = 9};
    make_texts(&texts);
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 7);
    assert_refused(memory_from_data(&model, &none, &settings, &error), &error, MNEME_BAD_INPUT,
                   "no text", "keys");
    model.layers[1].wo->data[5] = NAN;
    assert_refused(memory_from_data(&model, &texts, &settings, &error), &error, MNEME_FAILED,
                   "layer 2", "not a number");
    model_close(&model);
    config.memory.query_bias = false;
    assert_ok(model_open(&config, &model, &error), &error);
    assert_refused(memory_from_data(&model, &texts, &settings, &error), &error, MNEME_BAD_INPUT,
                   "query_bias", "keys from data");
    model_close(&model);
    token_texts_free(&texts);
}
END_TEST

Suite *memory_from_data_suite(void) {
    Suite *suite = suite_create("memory_from_data");
    TCase *tests = tcase_create("tests");
    tcase_add_loop_test(tests, queries_and_keys, 0, 2);
    tcase_add_test(tests, same_bits);
    tcase_add_test(tests, changes_nothing);
    tcase_add_test(tests, in_place);
    tcase_add_test(tests, sharper);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
    return suite;
}
