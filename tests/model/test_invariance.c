/* Rule 8: what a sequence gets does not depend on the batch around it, nor on whether it was read
 * at once or token by token; and rule 5: micro-batches continue each other's sums. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "generate/generate.h"
#include "model/pass.h"
#include "model/tiny_model.h"
#include "tests/assertions.h"
#include "train/optimizer.h"
#include "train/step.h"

static void forward(struct tiny_model *tiny, const struct batch *batch) {
    mneme_error error = {0};
    assert_ok(model_forward(&tiny->pass, batch, NULL, &error), &error);
}

/* Every second time with the options of Llama's relatives, and with a norm in the memory's lookup.
 */
static struct model_config config_of(int i) {
    struct model_config config = tiny_model_config();
    if (i % 2 == 0) return config;
    config.head_dim = 10;
    config.attention_bias = ATTENTION_BIAS_QKVO;
    config.mlp_bias = config.qk_norm = true;
    config.rope_scaling = ROPE_LINEAR;
    config.rope_factor = 2.0f;
    config.memory.lookup_norm = true;
    return config;
}

START_TEST(alone_and_in_a_batch) {
    struct model_config config = config_of(_i);
    struct tiny_model tiny;
    tiny_model_open(&tiny, &config);
    forward(&tiny, &tiny.batch);
    size_t size = tiny.batch.n_tokens * config.dim * sizeof(float);
    float *together = malloc(size);
    memcpy(together, tiny.pass.activations.output_normed, size);
    for (size_t s = 0; s < tiny.batch.n_sequences; s++) {
        size_t starts[2], first = tiny.batch.starts[s];
        struct batch one = batch_builder_part(&tiny.builder, s, s + 1, starts);
        forward(&tiny, &one);
        ck_assert_mem_eq(tiny.pass.activations.output_normed, together + first * config.dim,
                         one.n_tokens * config.dim * sizeof(float));
    }
    free(together);
    tiny_model_close(&tiny);
}
END_TEST

START_TEST(token_by_token) {
    struct model_config config = config_of(_i);
    struct tiny_model tiny;
    tiny_model_open(&tiny, &config);
    forward(&tiny, &tiny.batch);
    size_t size = tiny.batch.n_tokens * config.dim;
    float *whole = malloc(size * sizeof *whole);
    memcpy(whole, tiny.pass.activations.output_normed, size * sizeof *whole);
    for (size_t s = 0; s < tiny.batch.n_sequences; s++) {
        struct kv_cache cache;
        mneme_error error = {0};
        assert_ok(kv_cache_open(&cache, &config, 1, &error), &error);
        size_t first = tiny.batch.starts[s], end = tiny.batch.starts[s + 1];
        for (size_t t = first; t < end; t++) {
            size_t starts[2] = {0, 1}, past = t - first, row = 0;
            struct batch one = {
                1,     tiny.batch.tokens + t, tiny.batch.targets + t, tiny.batch.positions + t, 1,
                starts};
            struct continuation continuation = {&cache, &past, &row};
            assert_ok(kv_cache_grow(&cache, past + 1, &error), &error);
            assert_ok(model_forward(&tiny.pass, &one, &continuation, &error), &error);
            ck_assert_mem_eq(tiny.pass.activations.output_normed, whole + t * config.dim,
                             config.dim * sizeof(float));
        }
        kv_cache_close(&cache);
    }
    free(whole);
    tiny_model_close(&tiny);
}
END_TEST

/* Gated, and PEER instead of Memory+. */
static void make_peer(struct model_config *config) {
    config->memory.gated = config->memory.peer_variant = true;
    config->memory.swilu_projection = config->memory.value_proj = false;
    config->memory.v_dim = config->dim;
}

/* Parameters after three steps with the batch cut into n_parts. */
static float *train(const struct model_config *config, size_t n_parts, size_t *bytes) {
    struct tiny_model tiny;
    struct optimizer optimizer;
    struct parameter **list;
    mneme_error error = {0};
    size_t n, starts[64];
    struct adamw_settings settings = {0.9f, 0.95f, 1e-8f, 0.1f, 0.05f, 1.0f, CLIP_TOGETHER};
    tiny_model_open(&tiny, config);
    assert_ok(optimizer_list_model(&tiny.model, &list, &n, &error), &error);
    assert_ok(optimizer_open(&optimizer, &settings, list, n, &error), &error);
    struct batch parts[5];
    size_t *place = starts;
    for (size_t i = 0; i < n_parts; i++) {
        size_t first = 5 * i / n_parts, end = 5 * (i + 1) / n_parts;
        parts[i] = batch_builder_part(&tiny.builder, first, end, place);
        place += end - first + 1;
    }
    for (int step = 0; step < 3; step++) {
        struct step_result result;
        assert_ok(step_run(&tiny.pass, &optimizer, parts, n_parts, (struct backward_extent){0},
                           1e-2f, 2e-2f, NULL, &result, &error),
                  &error);
    }
    *bytes = tiny.model.arena.size;
    float *parameters = malloc(*bytes);
    memcpy(parameters, tiny.model.arena.base, *bytes);
    optimizer_close(&optimizer);
    free(list);
    tiny_model_close(&tiny);
    return parameters;
}

START_TEST(micro_batches) {
    struct model_config config = config_of(_i == 6);
    config.tied_output = _i % 2 == 1;
    config.memory.n_layers = _i < 2 ? 1 : 2;
    config.memory.layers[1] = 2;
    config.memory.share_values = true;
    if (_i >= 4) make_peer(&config);
    size_t bytes, cut_bytes;
    float *whole = train(&config, 1, &bytes);
    for (size_t n_parts = 2; n_parts <= 5; n_parts++) {
        float *cut = train(&config, n_parts, &cut_bytes);
        ck_assert_uint_eq(bytes, cut_bytes);
        ck_assert_msg(memcmp(whole, cut, bytes) == 0, "%zu micro-batches change the bits", n_parts);
        free(cut);
    }
    free(whole);
}
END_TEST

/* Loss and the embedding's gradient, which comes through all that is packed. */
static float *embedding_gradient(struct tiny_model *tiny) {
    struct gradients gradients;
    mneme_error error = {0};
    struct parameter *embedding = tiny->model.embedding;
    float *copy = malloc((embedding->count + 1) * sizeof *copy);
    assert_ok(gradients_open(&gradients, 1, &embedding, &error), &error);
    forward(tiny, &tiny->batch);
    model_loss(&tiny->pass, &tiny->batch, 1.0f, &gradients);
    model_backward(&tiny->pass, &tiny->batch, &gradients, (struct backward_extent){0});
    memcpy(copy, gradient_of(&gradients, embedding), embedding->count * sizeof *copy);
    copy[embedding->count] = pass_add_losses(&tiny->pass, 0.0f);
    gradients_close(&gradients);
    return copy;
}

START_TEST(packed_weights) {
    const struct model_config config = config_of(_i);
    struct tiny_model tiny;
    mneme_error error = {0};
    tiny_model_open(&tiny, &config);
    float *plain = embedding_gradient(&tiny);
    assert_ok(pass_pack(&tiny.pass, 0, &error), &error);
    float *packed = embedding_gradient(&tiny);
    ck_assert_mem_eq(packed, plain, (tiny.model.embedding->count + 1) * sizeof *plain);
    free(plain);
    free(packed);
    tiny_model_close(&tiny);
}
END_TEST

START_TEST(greedy_decoding) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    struct generator generator;
    mneme_error error = {0};
    tiny_model_open(&tiny, &config);
    struct token_span prompts[5];
    for (size_t s = 0; s < 5; s++) {
        size_t first = tiny.batch.starts[s];
        prompts[s] =
            (struct token_span){tiny.batch.tokens + first, tiny.batch.starts[s + 1] - first};
    }
    const struct token_span none = {0};
    int32_t together[5 * 9], alone[9];
    size_t lengths[5], length;
    assert_ok(generator_open(&generator, &tiny.model, 2, 40, &error), &error);
    assert_ok(generate_greedy(&generator, 5, prompts, 9, none, together, lengths, &error), &error);
    for (size_t s = 0; s < 5; s++) {
        assert_ok(generate_greedy(&generator, 1, &prompts[s], 9, none, alone, &length, &error),
                  &error);
        ck_assert_uint_eq(length, lengths[s]);
        ck_assert_uint_eq(length, prompts[s].n + 9 > 40 ? 40 - prompts[s].n : 9);
        ck_assert_mem_eq(alone, together + s * 9, length * sizeof *alone);
    }
    generator_close(&generator);
    tiny_model_close(&tiny);
}
END_TEST

Suite *invariance_suite(void) {
    Suite *suite = suite_create("invariance");
    TCase *tests = tcase_create("bits");
    tcase_add_loop_test(tests, alone_and_in_a_batch, 0, 2);
    tcase_add_loop_test(tests, token_by_token, 0, 2);
    tcase_add_loop_test(tests, micro_batches, 0, 7);
    tcase_add_loop_test(tests, packed_weights, 0, 2);
    tcase_add_test(tests, greedy_decoding);
    suite_add_tcase(suite, tests);
    return suite;
}
