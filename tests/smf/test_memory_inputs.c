/* A pass that begins at the memory layer, with inputs that were kept, gives the bits of a whole
 * one. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/tiny_model.h"
#include "smf/memory_inputs.h"
#include "tests/assertions.h"

/* A batch of some of the tiny model's sequences, in another order, one of them twice. */
static void check(const struct model_config *config) {
    struct tiny_model tiny;
    struct memory_inputs inputs;
    struct batch_builder builder;
    struct pass whole;
    mneme_error error;
    tiny_model_open(&tiny, config);
    const struct model *model = &tiny.model;
    const struct batch *all = &tiny.batch;
    size_t most = tiny.pass.max_tokens, n = all->n_sequences,
           reads = config->memory.heads * config->memory.knn;
    ck_assert_uint_ge(n, 3);
    assert_ok(memory_inputs_open(&inputs, model, n, all->n_tokens, &error), &error);
    assert_ok(memory_inputs_make(&inputs, &tiny.pass, all, &error), &error);
    uint32_t texts[] = {2, 0, (uint32_t)n - 1, 2};
    assert_ok(batch_builder_open(&builder, 4 * most, &error), &error);
    for (size_t i = 0; i < 4; i++) {
        size_t first = all->starts[texts[i]], length = all->starts[texts[i] + 1] - first;
        ck_assert(
            batch_builder_add(&builder, length, all->tokens + first, all->targets + first, 0));
    }
    struct batch batch = batch_builder_whole(&builder);
    assert_ok(pass_open(&whole, model, 4 * most, true, &error), &error);
    assert_ok(model_forward(&whole, &batch, NULL, &error), &error);
    struct pass resumed;
    assert_ok(pass_open(&resumed, model, 4 * most, true, &error), &error);
    memory_inputs_place(&inputs, &resumed, 4, texts);
    assert_ok(model_forward_from_memory(&resumed, &batch, &error), &error);
    ck_assert_mem_eq(resumed.activations.output_normed, whole.activations.output_normed,
                     batch.n_tokens * config->dim * sizeof(float));
    for (size_t l = config->memory.layers[0]; l < config->n_layers; l++) {
        if (model->layers[l].keys == NULL) continue;
        ck_assert_mem_eq(resumed.activations.layers[l].slots, whole.activations.layers[l].slots,
                         batch.n_tokens * reads * sizeof(int32_t));
        ck_assert_mem_eq(resumed.activations.layers[l].read, whole.activations.layers[l].read,
                         batch.n_tokens * config->memory.v_dim * sizeof(float));
    }
    pass_close(&resumed);
    pass_close(&whole);
    batch_builder_close(&builder);
    memory_inputs_close(&inputs);
    tiny_model_close(&tiny);
}

START_TEST(same_bits) {
    struct model_config config = tiny_model_config();
    check(&config);
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    config.memory.share_values = true;
    check(&config);
}
END_TEST

START_TEST(variants) {
    struct model_config config = tiny_model_config();
    config.memory.gated = true;
    check(&config);
    config.memory.swilu_projection = false;
    config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    config.memory.peer_variant = true;
    check(&config);
}
END_TEST

START_TEST(beside) {
    struct model_config config = tiny_model_config();
    config.memory.placement = MEMORY_BESIDE;
    config.memory.scale = 0.7f;
    check(&config);
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    check(&config);
}
END_TEST

Suite *memory_inputs_suite(void) {
    Suite *suite = suite_create("memory_inputs");
    TCase *tests = tcase_create("model");
    tcase_add_test(tests, same_bits);
    tcase_add_test(tests, variants);
    tcase_add_test(tests, beside);
    suite_add_tcase(suite, tests);
    return suite;
}
