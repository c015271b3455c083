/* Every gradient against a finite difference along a random direction, the loss summed in double.
 * The choice of slots jumps, so that a difference counts only if both its ends read the slots that
 * the middle reads; otherwise a smaller step is taken. */

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/adapter.h"
#include "model/pass.h"
#include "model/tiny_model.h"
#include "tests/assertions.h"
#include "train/optimizer.h"

static double loss_of(struct tiny_model *tiny) {
    mneme_error error = {0};
    assert_ok(model_forward(&tiny->pass, &tiny->batch, NULL, &error), &error);
    model_loss(&tiny->pass, &tiny->batch, 0.0f, NULL);
    double sum = 0.0;
    for (size_t i = 0; i < tiny->batch.n_tokens; i++) {
        sum += (double)tiny->pass.activations.losses[i];
    }
    return sum;
}

/* The loss with the parameter moved along the direction of stream `stream`. */
static double moved_loss(struct tiny_model *tiny, struct parameter *parameter, uint64_t stream,
                         float step) {
    float *saved = malloc(parameter->count * sizeof *saved);
    memcpy(saved, parameter->data, parameter->count * sizeof *saved);
    for (size_t i = 0; i < parameter->count; i++) {
        parameter->data[i] += step * model_random_normal(3, stream, i);
    }
    double loss = loss_of(tiny);
    memcpy(parameter->data, saved, parameter->count * sizeof *saved);
    free(saved);
    return loss;
}

/* A number for the set of slots that each (token, head) reads, whatever their order. */
static uint64_t selection_of(const struct tiny_model *tiny) {
    const struct memory_config *memory = &tiny->model.config.memory;
    uint64_t selection = 0;
    for (size_t m = 0; m < memory->n_layers; m++) {
        const int32_t *slots = tiny->pass.activations.layers[memory->layers[m]].slots;
        for (size_t i = 0; i < tiny->batch.n_tokens * memory->heads * memory->knn; i++) {
            uint32_t draws[4];
            random_draw4((uint64_t)slots[i], m, i / memory->knn, draws);
            selection += (uint64_t)draws[0] << 32 | draws[1];
        }
    }
    return selection;
}

static void check_parameter(struct tiny_model *tiny, struct parameter *parameter,
                            const float *gradient, uint64_t stream) {
    static const double sizes[] = {2e-2, 5e-3, 1e-3, 2e-4, 5e-5};
    double along = 0.0, norm = 0.0;
    for (size_t i = 0; i < parameter->count; i++) {
        double d = (double)model_random_normal(3, stream, i);
        along += d * (double)gradient[i];
        norm += d * d;
    }
    loss_of(tiny);
    uint64_t selection = selection_of(tiny);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        float step = (float)(sizes[i] / sqrt(norm));
        double above = moved_loss(tiny, parameter, stream, step);
        bool same = selection_of(tiny) == selection;
        double below = moved_loss(tiny, parameter, stream, -step);
        if (!same || selection_of(tiny) != selection) continue;
        double difference = (above - below) / (2.0 * (double)step);
        double tolerance = 5e-3 * fabs(along) + 3e-5 / (double)step;
        ck_assert_msg(fabs(difference - along) <= tolerance, "%s: gradient %g, difference %g (%g)",
                      parameter->name, along, difference, tolerance);
        return;
    }
    ck_abort_msg("%s: no step without a change of slots", parameter->name);
}

/* Gradients of everything in the list, then each parameter checked. */
static void check_list(struct tiny_model *tiny, struct parameter **list, size_t n) {
    mneme_error error = {0};
    struct gradients gradients;
    assert_ok(gradients_open(&gradients, n, list, &error), &error);
    loss_of(tiny);
    model_loss(&tiny->pass, &tiny->batch, 1.0f, &gradients);
    model_backward(&tiny->pass, &tiny->batch, &gradients, (struct backward_extent){0});
    model_finish_gradients(&tiny->pass, &gradients);
    for (size_t i = 0; i < n; i++) {
        check_parameter(tiny, list[i], gradient_of(&gradients, list[i]), i);
    }
    gradients_close(&gradients);
    free(list);
}

static void move_vectors(struct model *model) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        for (size_t j = 0; p->rank == 1 && j < p->count; j++) {
            p->data[j] += 0.3f * model_random_normal(5, i, j);
        }
    }
}

static void check_model_of(const struct model_config *config, bool moved) {
    struct tiny_model tiny;
    mneme_error error = {0};
    tiny_model_open(&tiny, config);
    if (moved) move_vectors(&tiny.model);
    struct parameter **list;
    size_t n;
    assert_ok(optimizer_list_model(&tiny.model, &list, &n, &error), &error);
    check_list(&tiny, list, n);
    tiny_model_close(&tiny);
}

static void check_model(const struct model_config *config) {
    check_model_of(config, false);
}

static void check_moved_model(const struct model_config *config) {
    check_model_of(config, true);
}

START_TEST(memory_in_the_middle) {
    struct model_config config = tiny_model_config();
    check_model(&config);
}
END_TEST

START_TEST(plain_transformer) {
    struct model_config config = tiny_model_config();
    config.memory.n_layers = 0;
    check_model(&config);
}
END_TEST

START_TEST(shared_values_and_tied_output) {
    struct model_config config = tiny_model_config();
    config.memory.n_layers = 2;
    config.memory.layers[0] = 0;
    config.memory.layers[1] = 2;
    config.memory.share_values = true;
    config.tied_output = true;
    check_model(&config);
}
END_TEST

START_TEST(separate_value_tables) {
    struct model_config config = tiny_model_config();
    config.memory.n_layers = 2;
    config.memory.layers[0] = 0;
    config.memory.layers[1] = 1;
    config.memory.knn = 2;
    check_model(&config);
}
END_TEST

/* The forms of the reference's layer, in the lowest layer and in the highest. */
static struct model_config variant(void) {
    struct model_config config = tiny_model_config();
    config.memory.n_layers = 2;
    config.memory.layers[0] = 0;
    config.memory.layers[1] = 2;
    config.memory.knn = 2;
    return config;
}

static struct model_config peer_variant(void) {
    struct model_config config = variant();
    config.memory.peer_variant = true;
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    return config;
}

START_TEST(no_swilu_projection) {
    struct model_config config = variant();
    config.memory.swilu_projection = false;
    config.memory.query_bias = false;
    check_model(&config);
}
END_TEST

START_TEST(no_projection) {
    struct model_config config = variant();
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    config.memory.share_values = true;
    check_model(&config);
}
END_TEST

START_TEST(gated) {
    struct model_config config = variant();
    config.memory.gated = true;
    check_model(&config);
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    check_model(&config);
}
END_TEST

START_TEST(peer) {
    struct model_config config = peer_variant();
    check_model(&config);
    config.memory.share_values = true;
    config.memory.gated = true;
    check_model(&config);
}
END_TEST

/* A memory beside the feed-forward network, with a scale large enough to be seen. */
static void check_beside(struct model_config config) {
    config.memory.placement = MEMORY_BESIDE;
    config.memory.scale = 0.6f;
    check_model(&config);
}

START_TEST(beside) {
    struct model_config config = tiny_model_config();
    check_beside(config);
    config = variant();
    config.memory.gated = true;
    check_beside(config);
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    config.memory.share_values = config.tied_output = true;
    check_beside(config);
    check_beside(peer_variant());
}
END_TEST

/* A norm of the memory's queries and keys, in each of its forms; its gains moved from 1. */
START_TEST(lookup_norm) {
    struct model_config config = tiny_model_config();
    config.memory.lookup_norm = true;
    check_moved_model(&config);
    config.memory.placement = MEMORY_BESIDE;
    config.memory.scale = 0.6f;
    config.memory.swilu_projection = config.memory.query_bias = false;
    check_moved_model(&config);
    config = peer_variant();
    config.memory.lookup_norm = config.memory.gated = config.memory.share_values = true;
    check_moved_model(&config);
}
END_TEST

/* The options of Llama's relatives, each alone and all together. */
static struct model_config options(void) {
    struct model_config config = tiny_model_config();
    config.head_dim = 10;
    config.attention_bias = ATTENTION_BIAS_QKVO;
    config.mlp_bias = config.qk_norm = true;
    config.rope_rule = ROPE_OF_TRANSFORMERS;
    config.rope_theta = 50.0f;
    config.rope_scaling = ROPE_LLAMA3;
    config.rope_factor = 3.0f;
    config.rope_low_freq = 1.0f;
    config.rope_high_freq = 4.0f;
    config.rope_original = 60;
    return config;
}

START_TEST(options_of_relatives) {
    struct model_config configs[6];
    for (size_t i = 0; i < 6; i++) configs[i] = tiny_model_config();
    configs[0].head_dim = 10;
    configs[1].attention_bias = ATTENTION_BIAS_QKV;
    configs[2].attention_bias = ATTENTION_BIAS_QKVO;
    configs[3].mlp_bias = true;
    configs[4].qk_norm = true;
    configs[5] = options();
    /* Biases and gains that start as zeros and ones would leave terms of their gradients out. */
    check_moved_model(&configs[_i]);
}
END_TEST

static void check_adapters(const struct model_config *config, size_t n_linear) {
    struct tiny_model tiny;
    struct adapter_set set;
    mneme_error error = {0};
    tiny_model_open(&tiny, config);
    assert_ok(adapter_set_open(&set, &tiny.model, 3, 6.0f, 0, SIZE_MAX, 64, 5, &error), &error);
    for (size_t i = 0; i < set.n_adapters; i++) {
        struct parameter *b = &set.adapters[i].b;
        for (size_t j = 0; j < b->count; j++) b->data[j] = 0.1f * model_random_normal(9, i, j);
    }
    struct parameter **list;
    size_t n;
    tiny.pass.adapters = &set;
    assert_ok(optimizer_list_adapters(&set, &list, &n, &error), &error);
    ck_assert_uint_eq(n, 2 * n_linear);
    check_list(&tiny, list, n);
    double with_adapters = loss_of(&tiny);
    assert_ok(adapter_set_merge(&set, &error), &error);
    tiny.pass.adapters = NULL;
    ck_assert(fabs(loss_of(&tiny) - with_adapters) < 1e-3);
    adapter_set_close(&set);
    tiny_model_close(&tiny);
}

START_TEST(adapters) {
    struct model_config config = tiny_model_config();
    config.memory.gated = true;
    check_adapters(&config, 7 + 8 + 7);
    config.memory.placement = MEMORY_BESIDE;
    config.memory.scale = 0.6f;
    config.memory.lookup_norm = true;
    check_adapters(&config, 7 + 11 + 7);
    config = options();
    config.memory.gated = true;
    check_adapters(&config, 7 + 8 + 7);
}
END_TEST

Suite *gradients_suite(void) {
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("finite differences");
    tcase_add_test(tests, memory_in_the_middle);
    tcase_add_test(tests, plain_transformer);
    tcase_add_test(tests, shared_values_and_tied_output);
    tcase_add_test(tests, separate_value_tables);
    tcase_add_test(tests, no_swilu_projection);
    tcase_add_test(tests, no_projection);
    tcase_add_test(tests, gated);
    tcase_add_test(tests, peer);
    tcase_add_test(tests, beside);
    tcase_add_test(tests, lookup_norm);
    tcase_add_loop_test(tests, options_of_relatives, 0, 6);
    tcase_add_test(tests, adapters);
    suite_add_tcase(suite, tests);
    return suite;
}
