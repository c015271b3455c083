/* What generation takes is what its texts need, whatever the model could take; and prompts that
 * are read in parts, in a cache that grows, give the same tokens. */

#include <check.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "generate/generate.h"
#include "model/tiny_model.h"
#include "tests/assertions.h"

/* Bytes of memory that the process has now. */
static size_t resident(void) {
    size_t all, pages;
    FILE *stream = fopen("/proc/self/statm", "r");
    ck_assert(stream != NULL && fscanf(stream, "%zu %zu", &all, &pages) == 2);
    fclose(stream);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Of a three-token prompt, and five tokens after it. */
static size_t bytes_of_generation(size_t max_seq_len, int threads) {
    static const int32_t prompt[] = {1, 2, 3};
    const struct token_span span = {prompt, 3};
    struct model_config config = tiny_model_config();
    struct generator generator;
    struct model model;
    mneme_error error = {0};
    int32_t output[5];
    size_t length;
    config.max_seq_len = max_seq_len;
    omp_set_num_threads(threads);
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 7);
    size_t before = resident();
    assert_ok(generator_open(&generator, &model, 1, max_seq_len, &error), &error);
    assert_ok(
        generate_greedy(&generator, 1, &span, 5, (struct token_span){0}, output, &length, &error),
        &error);
    ck_assert_uint_eq(length, 5);
    size_t after = resident();
    generator_close(&generator);
    model_close(&model);
    return after > before ? after - before : 0;
}

#define MIB ((size_t)1 << 20)

START_TEST(positions_cost_nothing) {
    static const size_t lengths[] = {65536, 10000000, INT32_MAX};
    (void)bytes_of_generation(128, 2); /* libraries' own */
    size_t least = bytes_of_generation(128, 2);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t bytes = bytes_of_generation(lengths[i], 2);
        ck_assert_msg(bytes <= least + MIB, "%zu positions: %zu bytes, 128: %zu", lengths[i], bytes,
                      least);
    }
}
END_TEST

START_TEST(threads_cost_little) {
    size_t one = bytes_of_generation(65536, 1);
    for (int threads = 2; threads <= 64; threads *= 2) {
        size_t bytes = bytes_of_generation(65536, threads);
        ck_assert_msg(bytes <= one + (size_t)(threads - 1) * MIB, "%d threads: %zu bytes, one: %zu",
                      threads, bytes, one);
    }
}
END_TEST

#define LONG_PROMPT 2500
#define NEW 700

/* What a pass over the whole text chooses for each position. */
static void choose_at_once(const struct model *model, size_t n, const int32_t *tokens,
                           int32_t *chosen) {
    struct pass pass;
    struct batch_builder builder;
    mneme_error error = {0};
    size_t vocab_size = model->config.vocab_size;
    assert_ok(pass_open(&pass, model, n, false, &error), &error);
    assert_ok(batch_builder_open(&builder, n, &error), &error);
    batch_builder_clear(&builder);
    batch_builder_add(&builder, n, tokens, NULL, 0);
    const struct batch batch = batch_builder_whole(&builder);
    assert_ok(model_forward(&pass, &batch, NULL, &error), &error);
    model_logits(&pass, n, pass.activations.output_normed, pass.activations.logits);
    for (size_t i = 0; i < n; i++) {
        const float *row = pass.activations.logits + i * vocab_size;
        chosen[i] = 0;
        for (size_t t = 1; t < vocab_size; t++) {
            if (row[t] > row[chosen[i]]) chosen[i] = (int32_t)t;
        }
    }
    batch_builder_close(&builder);
    pass_close(&pass);
}

START_TEST(parts_and_growth) {
    static int32_t text[LONG_PROMPT + NEW], chosen[LONG_PROMPT + NEW], output[3 * NEW];
    struct model_config config = tiny_model_config();
    struct generator generator;
    struct model model;
    mneme_error error = {0};
    size_t lengths[3];
    config.max_seq_len = 1 << 20;
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 7);
    for (size_t i = 0; i < LONG_PROMPT; i++) text[i] = (int32_t)(i * i % config.vocab_size);
    /* Short prompts beside the long one, and one that ends with a part. */
    const struct token_span prompts[] = {{text + 5, 4}, {text, LONG_PROMPT}, {text, 2048}};
    assert_ok(generator_open(&generator, &model, 3, config.max_seq_len, &error), &error);
    assert_ok(generate_greedy(&generator, 3, prompts, NEW, (struct token_span){0}, output, lengths,
                              &error),
              &error);
    for (size_t s = 0; s < 3; s++) {
        size_t n = prompts[s].n;
        ck_assert_uint_eq(lengths[s], NEW);
        static int32_t whole[LONG_PROMPT + NEW];
        memcpy(whole, prompts[s].tokens, n * sizeof *whole);
        memcpy(whole + n, output + s * NEW, NEW * sizeof *whole);
        choose_at_once(&model, n + NEW, whole, chosen);
        ck_assert_mem_eq(chosen + n - 1, output + s * NEW, NEW * sizeof *chosen);
    }
    ck_assert_uint_ge(generator.cache.positions, LONG_PROMPT + NEW);
    generator_close(&generator);
    model_close(&model);
}
END_TEST

#define ALIKE 9
#define SHOTS 60

/* Prompts that begin alike get what each gets alone, and their beginning is found. */
START_TEST(what_is_alike_is_read_once) {
    static int32_t texts[ALIKE][SHOTS + 40], together[ALIKE * 20], alone[20];
    struct model_config config = tiny_model_config();
    struct generator generator;
    struct model model;
    struct token_span prompts[ALIKE];
    mneme_error error = {0};
    size_t lengths[ALIKE], length;
    config.max_seq_len = 200;
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 7);
    for (size_t i = 0; i < ALIKE; i++) {
        size_t n = i == 4 ? 5 : SHOTS + 3 * i;
        for (size_t t = 0; t < n; t++) {
            size_t own = t < SHOTS && i > 1 ? 0 : i + 1; /* the first two have other examples */
            texts[i][t] = (int32_t)((t * t + own * (t + 3)) % config.vocab_size);
        }
        prompts[i] = (struct token_span){texts[i], n};
    }
    ck_assert_uint_eq(shared_prefix_find(2, prompts + 2, &length), 2);
    ck_assert_uint_eq(length, SHOTS);
    ck_assert_uint_eq(shared_prefix_find(ALIKE - 5, prompts + 5, &length), ALIKE - 5);
    ck_assert_uint_ge(length, SHOTS);
    ck_assert_uint_eq(shared_prefix_find(2, prompts, &length), 1);
    ck_assert_uint_eq(length, 0);
    assert_ok(generator_open(&generator, &model, ALIKE, config.max_seq_len, &error), &error);
    assert_ok(generate_greedy(&generator, ALIKE, prompts, 20, (struct token_span){0}, together,
                              lengths, &error),
              &error);
    for (size_t i = 0; i < ALIKE; i++) {
        assert_ok(generate_greedy(&generator, 1, &prompts[i], 20, (struct token_span){0}, alone,
                                  &length, &error),
                  &error);
        ck_assert_uint_eq(length, lengths[i]);
        ck_assert_mem_eq(alone, together + i * 20, length * sizeof *alone);
    }
    generator_close(&generator);
    model_close(&model);
}
END_TEST

Suite *generate_memory_suite(void) {
    Suite *suite = suite_create("generate_memory");
    TCase *tests = tcase_create("memory");
    tcase_add_test(tests, positions_cost_nothing);
    tcase_add_test(tests, threads_cost_little);
    tcase_add_test(tests, parts_and_growth);
    tcase_add_test(tests, what_is_alike_is_read_once);
    suite_add_tcase(suite, tests);
    return suite;
}
