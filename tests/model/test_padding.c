/* Padding, which mneme leaves out: a batch whose texts are padded to one length, with nothing to
 * predict at padding and reads there not counted, gives every number that it gives without. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/batch_reads.h"
#include "model/tiny_model.h"
#include "nn/cross_entropy.h"
#include "tests/assertions.h"
#include "train/optimizer.h"
#include "train/step.h"

#define LENGTH 40
#define PAD 3

/* A tiny model whose texts are padded to LENGTH or left as they are. */
struct padded {
    struct tiny_model tiny;
    struct pass pass;
    struct batch_builder builder;
    struct batch batch;
};

static void open_padded(struct padded *p, const struct model_config *config, bool is_padded) {
    mneme_error error = {0};
    tiny_model_open(&p->tiny, config);
    assert_ok(pass_open(&p->pass, &p->tiny.model, 5 * LENGTH, true, &error), &error);
    assert_ok(batch_builder_open(&p->builder, 5 * LENGTH, &error), &error);
    batch_builder_clear(&p->builder);
    for (size_t s = 0; s < 5; s++) {
        const struct batch *whole = &p->tiny.batch;
        size_t n = whole->starts[s + 1] - whole->starts[s];
        int32_t tokens[LENGTH], targets[LENGTH];
        for (size_t i = 0; i < LENGTH; i++) {
            tokens[i] = i < n ? whole->tokens[whole->starts[s] + i] : CROSS_ENTROPY_IGNORE;
            targets[i] = i < n ? whole->targets[whole->starts[s] + i] : CROSS_ENTROPY_IGNORE;
        }
        ck_assert(batch_builder_add(&p->builder, is_padded ? LENGTH : n, tokens, targets, 0));
    }
    p->batch = batch_builder_whole(&p->builder);
}

static void close_padded(struct padded *p) {
    batch_builder_close(&p->builder);
    pass_close(&p->pass);
    tiny_model_close(&p->tiny);
}

/* One layer or two, tied or not, Memory+ or not. */
static struct model_config config_of(int i) {
    struct model_config config = tiny_model_config();
    config.tied_output = i % 2 == 1;
    if (i >= 2) {
        config.memory.n_layers = 2;
        config.memory.layers[1] = 2;
        config.memory.share_values = true;
    }
    return config;
}

/* Three steps on all parameters; the losses, too. */
static void train(struct padded *p, float losses[3]) {
    struct optimizer optimizer;
    struct parameter **list;
    mneme_error error = {0};
    size_t n;
    struct adamw_settings settings = {0.9f, 0.95f, 1e-8f, 0.1f, 0.05f, 1.0f, CLIP_TOGETHER};
    assert_ok(optimizer_list_model(&p->tiny.model, &list, &n, &error), &error);
    assert_ok(optimizer_open(&optimizer, &settings, list, n, &error), &error);
    for (int step = 0; step < 3; step++) {
        struct step_result result;
        assert_ok(step_run(&p->pass, &optimizer, &p->batch, 1, (struct backward_extent){0}, 1e-2f,
                           2e-2f, NULL, &result, &error),
                  &error);
        losses[step] = result.loss;
    }
    optimizer_close(&optimizer);
    free(list);
}

START_TEST(training) {
    const struct model_config config = config_of(_i);
    struct padded plain, padded;
    float losses[3] = {0}, padded_losses[3] = {0};
    open_padded(&plain, &config, false);
    open_padded(&padded, &config, true);
    ck_assert_uint_eq(padded.batch.n_tokens, 5 * LENGTH);
    train(&plain, losses);
    train(&padded, padded_losses);
    ck_assert_mem_eq(losses, padded_losses, sizeof losses);
    ck_assert_mem_eq(plain.tiny.model.arena.base, padded.tiny.model.arena.base,
                     plain.tiny.model.arena.size);
    close_padded(&plain);
    close_padded(&padded);
}
END_TEST

/* How often each slot was read, by tokens that are no padding where only those count; and the
 * largest gradient of what padding read. */
static size_t *count_reads(struct padded *p, const struct model_config *config, bool only_texts) {
    size_t n_slots = config->memory.n_keys * config->memory.n_keys;
    size_t per_token = config->memory.heads * config->memory.knn;
    size_t *counts = calloc(n_slots, sizeof *counts);
    const int32_t *slots = p->pass.activations.layers[1].slots;
    for (size_t t = 0; t < p->batch.n_tokens; t++) {
        if (only_texts && p->batch.targets[t] == CROSS_ENTROPY_IGNORE) continue;
        for (size_t i = 0; i < per_token; i++) counts[slots[t * per_token + i]]++;
    }
    return counts;
}

START_TEST(slots_and_outputs) {
    const struct model_config config = config_of(0);
    struct padded plain, padded;
    mneme_error error = {0};
    open_padded(&plain, &config, false);
    open_padded(&padded, &config, true);
    assert_ok(model_forward(&plain.pass, &plain.batch, NULL, &error), &error);
    assert_ok(model_forward(&padded.pass, &padded.batch, NULL, &error), &error);
    for (size_t s = 0; s < 5; s++) {
        size_t first = plain.batch.starts[s], n = plain.batch.starts[s + 1] - first;
        ck_assert_mem_eq(plain.pass.activations.output_normed + first * config.dim,
                         padded.pass.activations.output_normed + s * LENGTH * config.dim,
                         n * config.dim * sizeof(float));
    }
    size_t *counts = count_reads(&plain, &config, false);
    size_t *of_texts = count_reads(&padded, &config, true);
    size_t *of_all = count_reads(&padded, &config, false);
    size_t size = config.memory.n_keys * config.memory.n_keys * sizeof *counts;
    ck_assert_mem_eq(counts, of_texts, size);
    ck_assert_int_ne(memcmp(counts, of_all, size), 0); /* padding does read */
    free(counts);
    free(of_texts);
    free(of_all);
    close_padded(&plain);
    close_padded(&padded);
}
END_TEST

Suite *padding_suite(void) {
    Suite *suite = suite_create("padding");
    TCase *tests = tcase_create("padding");
    tcase_add_loop_test(tests, training, 0, 4);
    tcase_add_test(tests, slots_and_outputs);
    suite_add_tcase(suite, tests);
    return suite;
}
