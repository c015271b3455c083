/* A memory beside the feed-forward network: what it leaves of the model without it. */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kv_cache.h"
#include "model/tiny_model.h"
#include "nn/scaled_branch.h"
#include "tests/assertions.h"
#include "train/optimizer.h"

static struct model_config beside_config(void) {
    struct model_config config = tiny_model_config();
    config.memory.placement = MEMORY_BESIDE;
    config.memory.scale = 1.0f;
    config.memory.n_layers = 2;
    config.memory.layers[0] = 0;
    config.memory.layers[1] = 2;
    return config;
}

/* Gives the model the parameters of another by their names. */
static void take_parameters(struct model *model, struct model *from) {
    for (size_t i = 0; i < from->n_parameters; i++) {
        struct parameter *p = model_parameter(model, from->parameters[i].name);
        ck_assert_ptr_nonnull(p);
        memcpy(p->data, from->parameters[i].data, p->count * sizeof *p->data);
    }
}

/* Logits of the batch, then of the same batch read token by token; malloc'ed. */
static float *all_logits(struct tiny_model *tiny) {
    mneme_error error = {0};
    const struct batch *batch = &tiny->batch;
    size_t vocab = tiny->model.config.vocab_size;
    float *logits = malloc(2 * batch->n_tokens * vocab * sizeof *logits);
    assert_ok(model_forward(&tiny->pass, batch, NULL, &error), &error);
    model_logits(&tiny->pass, batch->n_tokens, tiny->pass.activations.output_normed, logits);
    for (size_t s = 0; s < batch->n_sequences; s++) {
        struct kv_cache cache;
        assert_ok(kv_cache_open(&cache, &tiny->model.config, 1, &error), &error);
        for (size_t t = batch->starts[s]; t < batch->starts[s + 1]; t++) {
            size_t starts[2] = {0, 1}, past = t - batch->starts[s], row = 0;
            struct batch one = {
                1, batch->tokens + t, batch->targets + t, batch->positions + t, 1, starts};
            struct continuation continuation = {&cache, &past, &row};
            assert_ok(kv_cache_grow(&cache, past + 1, &error), &error);
            assert_ok(model_forward(&tiny->pass, &one, &continuation, &error), &error);
            model_logits(&tiny->pass, 1, tiny->pass.activations.output_normed,
                         logits + (batch->n_tokens + t) * vocab);
        }
        kv_cache_close(&cache);
    }
    return logits;
}

/* The model without memory and the one with it, which `change` makes one that adds nothing, give
 * the same bits: packed or not, at once or token by token. */
static void check_adds_nothing(const struct model_config *config, void (*change)(struct model *)) {
    struct model_config base_config = *config;
    struct tiny_model base, tiny;
    mneme_error error = {0};
    base_config.memory = (struct memory_config){0};
    tiny_model_open(&base, &base_config);
    tiny_model_open(&tiny, config);
    take_parameters(&tiny.model, &base.model);
    change(&tiny.model);
    const size_t bytes = 2 * base.batch.n_tokens * base_config.vocab_size * sizeof(float);
    float *expected = all_logits(&base);
    for (int packed = 0; packed < 2; packed++) {
        if (packed == 1) assert_ok(pass_pack(&tiny.pass, 0, &error), &error);
        float *found = all_logits(&tiny);
        ck_assert_mem_eq(found, expected, bytes);
        free(found);
    }
    /* The stream itself, in the last layer's input. */
    assert_ok(model_forward(&base.pass, &base.batch, NULL, &error), &error);
    assert_ok(model_forward(&tiny.pass, &tiny.batch, NULL, &error), &error);
    for (size_t l = 0; l < config->n_layers; l++) {
        ck_assert_mem_eq(tiny.pass.activations.layers[l].input,
                         base.pass.activations.layers[l].input,
                         base.batch.n_tokens * config->dim * sizeof(float));
    }
    free(expected);
    tiny_model_close(&base);
    tiny_model_close(&tiny);
}

static void scale_zero(struct model *model) {
    for (size_t l = 0; l < model->config.n_layers; l++) {
        struct layer *layer = &model->layers[l];
        if (layer->memory_scale == NULL) continue;
        layer->memory_scale->data[0] = l == 0 ? 0.0f : -0.0f;
        layer->values->data[0] = NAN;
        layer->values->data[layer->values->count - 1] = INFINITY;
    }
}

/* Values of zero, and biases of what projects them. */
static void empty_values(struct model *model) {
    for (size_t l = 0; l < model->config.n_layers; l++) {
        struct layer *layer = &model->layers[l];
        if (layer->keys == NULL) continue;
        memset(layer->values->data, 0, layer->values->count * sizeof(float));
        layer->memory_scale->data[0] = l == 0 ? 1.0f : -0.7f;
    }
}

/* Nothing times any scale leaves a -0, which adding a +0 would not. */
START_TEST(zeros_keep_their_signs) {
    static const float scales[] = {0.0f, 1.0f, -0.3f, 1e-30f};
    float nothing[19] = {0.0f}, y[19], before[19];
    for (size_t i = 0; i < 19; i++) before[i] = i % 3 == 0 ? (float)i : i % 3 == 1 ? -0.0f : 0.0f;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        memcpy(y, before, sizeof y);
        scaled_branch_forward(1, 19, scales[i], nothing, y);
        ck_assert_mem_eq(y, before, sizeof y);
    }
}
END_TEST

START_TEST(scale_of_zero) {
    struct model_config config = beside_config();
    check_adds_nothing(&config, scale_zero);
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    check_adds_nothing(&config, scale_zero);
}
END_TEST

START_TEST(empty_memory) {
    struct model_config config = beside_config();
    check_adds_nothing(&config, empty_values);
    config.memory.gated = config.memory.lookup_norm = true;
    check_adds_nothing(&config, empty_values);
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    check_adds_nothing(&config, empty_values);
    config.memory.peer_variant = config.memory.share_values = true;
    check_adds_nothing(&config, empty_values);
}
END_TEST

/* A pass that ends at the lowest memory gives the memories' parameters the gradients of a whole
 * one. */
static void check_extent(struct model_config config) {
    struct tiny_model tiny;
    struct gradients whole, part;
    struct parameter **list;
    mneme_error error = {0};
    size_t n;
    tiny_model_open(&tiny, &config);
    assert_ok(optimizer_list_memory(&tiny.model, &list, &n, &error), &error);
    assert_ok(gradients_open(&whole, n, list, &error), &error);
    assert_ok(gradients_open(&part, n, list, &error), &error);
    for (int i = 0; i < 2; i++) {
        const struct backward_extent extent = {i == 0 ? 0 : config.memory.layers[0],
                                               i == 0 ? BACKWARD_WHOLE : BACKWARD_TO_MEMORY};
        assert_ok(model_forward(&tiny.pass, &tiny.batch, NULL, &error), &error);
        model_loss(&tiny.pass, &tiny.batch, 1.0f, i == 0 ? &whole : &part);
        model_backward(&tiny.pass, &tiny.batch, i == 0 ? &whole : &part, extent);
    }
    for (size_t i = 0; i < n; i++) {
        ck_assert_mem_eq(gradient_of(&part, list[i]), gradient_of(&whole, list[i]),
                         list[i]->count * sizeof(float));
        ck_assert(list[i]->count > 1 || gradient_of(&part, list[i])[0] != 0.0f);
    }
    free(list);
    gradients_close(&whole);
    gradients_close(&part);
    tiny_model_close(&tiny);
}

START_TEST(gradients_to_the_memory) {
    struct model_config config = beside_config();
    config.memory.layers[0] = 1;
    config.memory.gated = true;
    check_extent(config);
    config.memory.lookup_norm = true;
    config.memory.placement = MEMORY_REPLACES;
    check_extent(config);
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    config.memory.peer_variant = true;
    check_extent(config);
}
END_TEST

Suite *beside_suite(void) {
    Suite *suite = suite_create("beside");
    TCase *tests = tcase_create("tests");
    tcase_add_test(tests, zeros_keep_their_signs);
    tcase_add_test(tests, scale_of_zero);
    tcase_add_test(tests, empty_memory);
    tcase_add_test(tests, gradients_to_the_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
