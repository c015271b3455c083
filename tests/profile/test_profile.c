/* What a profile counts: every call once, in its layer, with the flops and bytes of the formulas;
 * and that it changes nothing. */

#include <check.h>
#include <jansson.h>
#include <mneme/profile.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/pass.h"
#include "model/tiny_model.h"
#include "nn/linear.h"
#include "profile/profile.h"
#include "temporary.h"

enum { N = 5, IN = 7, OUT = 3, RANK = 2 };

/* A linear layer with a bias, and one with an adapter. */
static void *run_linear(void *unused) {
    float x[N * IN] = {1}, weight[OUT * IN] = {2}, bias[OUT] = {3}, y[N * OUT];
    float a[RANK * IN] = {0}, b[OUT * RANK] = {0}, hidden[N * RANK];
    struct matmul_scratch scratch = {0};
    ck_assert(matmul_scratch_open(&scratch, NULL) == MNEME_OK);
    linear_forward(&scratch, N, IN, OUT, x, stored_f32(weight), NULL, bias, y);
    lora_forward(&scratch, N, IN, OUT, RANK, 1.0f, x, a, b, hidden, y);
    matmul_scratch_close(&scratch);
    return unused;
}

static uint64_t calls(enum profile_part part, size_t layer, enum profile_kernel kernel) {
    const struct profile_cell *cell = profile_cell(part, layer, kernel);
    return cell == NULL ? 0 : cell->calls;
}

START_TEST(counts_by_the_formulas) {
    uint64_t total;
    profile_start();
    profile_layer(PROFILE_FEED_FORWARD, 2);
    run_linear(NULL);
    ck_assert(profile_stop(&total));
    const struct profile_cell *linear =
        profile_cell(PROFILE_FEED_FORWARD, 2, PROFILE_linear_forward);
    ck_assert_ptr_nonnull(linear);
    ck_assert_uint_eq(linear->calls, 2);
    ck_assert_uint_eq(linear->flops, 2 * N * IN * OUT + N * OUT + 2 * N * IN * RANK);
    ck_assert_uint_eq(linear->bytes, 4 * (N * IN + IN * OUT + N * OUT + OUT) +
                                         4 * (N * IN + IN * RANK + N * RANK));
    const struct profile_cell *lora = profile_cell(PROFILE_FEED_FORWARD, 2, PROFILE_lora_forward);
    ck_assert_ptr_nonnull(lora);
    ck_assert_uint_eq(lora->calls, 1);
    ck_assert_uint_eq(lora->flops, 2 * N * RANK * OUT);
    ck_assert_uint_eq(calls(PROFILE_FEED_FORWARD, 1, PROFILE_linear_forward), 0);
    ck_assert_uint_eq(calls(PROFILE_NOWHERE, 0, PROFILE_linear_forward), 0);
}
END_TEST

static void sleep_within(void) {
    const struct timespec time = {.tv_nsec = 30000000};
    PROFILE(scale, 1);
    nanosleep(&time, NULL);
}

static void sleep_around(void) {
    PROFILE(add, 1);
    sleep_within();
    sleep_within();
}

START_TEST(time_is_counted_once) {
    uint64_t total;
    profile_start();
    sleep_around();
    ck_assert(profile_stop(&total));
    const struct profile_cell *within = profile_cell(PROFILE_NOWHERE, 0, PROFILE_scale);
    const struct profile_cell *around = profile_cell(PROFILE_NOWHERE, 0, PROFILE_add);
    ck_assert_uint_eq(within->calls, 2);
    ck_assert_uint_eq(around->calls, 1);
    ck_assert_uint_ge(within->nanoseconds, 60000000);
    /* Were it counted twice, the sum would be 120 ms of 60. */
    ck_assert_uint_le(within->nanoseconds + around->nanoseconds, total);
}
END_TEST

START_TEST(only_while_it_is_on) {
    uint64_t total;
    run_linear(NULL);
    profile_start();
    ck_assert(profile_stop(&total));
    run_linear(NULL);
    ck_assert_uint_eq(calls(PROFILE_NOWHERE, 0, PROFILE_linear_forward), 0);
}
END_TEST

START_TEST(only_the_thread_that_started_it) {
    uint64_t total;
    pthread_t other;
    profile_start();
    ck_assert_int_eq(pthread_create(&other, NULL, run_linear, NULL), 0);
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    ck_assert(profile_stop(&total));
    ck_assert_uint_eq(calls(PROFILE_NOWHERE, 0, PROFILE_linear_forward), 0);
}
END_TEST

static void forward_and_loss(struct tiny_model *tiny) {
    struct gradients none = {0};
    mneme_error error = {0};
    assert_ok(model_forward(&tiny->pass, &tiny->batch, NULL, &error), &error);
    model_loss(&tiny->pass, &tiny->batch, 1.0f, &none);
}

START_TEST(layers_of_a_model) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    uint64_t total;
    tiny_model_open(&tiny, &config);
    profile_start();
    forward_and_loss(&tiny);
    ck_assert(profile_stop(&total));
    ck_assert_uint_eq(calls(PROFILE_EMBEDDING, 0, PROFILE_embedding_forward), 1);
    ck_assert_uint_eq(profile_layers(PROFILE_ATTENTION), config.n_layers);
    for (size_t l = 0; l < config.n_layers; l++) {
        bool memory = l == config.memory.layers[0];
        ck_assert_uint_eq(calls(PROFILE_ATTENTION, l, PROFILE_linear_forward), 4);
        ck_assert_uint_eq(calls(PROFILE_ATTENTION, l, PROFILE_attention_forward), 1);
        ck_assert_uint_eq(calls(PROFILE_ATTENTION, l, PROFILE_rope), 2);
        ck_assert_uint_eq(calls(PROFILE_FEED_FORWARD, l, PROFILE_linear_forward), 3);
        ck_assert_uint_eq(calls(PROFILE_FEED_FORWARD, l, PROFILE_rms_norm_forward), 1);
        ck_assert_uint_eq(calls(PROFILE_FEED_FORWARD, l, PROFILE_product_key_forward), memory);
        ck_assert_uint_eq(calls(PROFILE_FEED_FORWARD, l, PROFILE_memory_values_forward), memory);
    }
    ck_assert_uint_eq(calls(PROFILE_OUTPUT, 0, PROFILE_linear_forward), 1);
    ck_assert_uint_eq(calls(PROFILE_OUTPUT, 0, PROFILE_cross_entropy), 1);
    /* Each query of the batch's sequences sees the keys up to its own. */
    uint64_t pairs = 1 + 7 * 8 / 2 + 18 * 19 / 2 + 33 * 34 / 2 + 5 * 6 / 2;
    ck_assert_uint_eq(profile_cell(PROFILE_ATTENTION, 0, PROFILE_attention_forward)->flops,
                      pairs * config.n_heads * (4 * model_head_dim(&config) + 5));
    tiny_model_close(&tiny);
}
END_TEST

START_TEST(no_bit_changes) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    uint64_t total;
    tiny_model_open(&tiny, &config);
    forward_and_loss(&tiny);
    size_t size = tiny.batch.n_tokens * config.vocab_size * sizeof(float);
    float *without = malloc(size);
    ck_assert_ptr_nonnull(without);
    memcpy(without, tiny.pass.activations.logits, size);
    profile_start();
    forward_and_loss(&tiny);
    ck_assert(profile_stop(&total));
    ck_assert_mem_eq(tiny.pass.activations.logits, without, size);
    free(without);
    tiny_model_close(&tiny);
}
END_TEST

static double sum(const json_t *root, const char *list, const char *key) {
    double total = 0.0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, list), i, row) {
        total += json_number_value(json_object_get(row, key));
    }
    return total;
}

START_TEST(file_adds_up) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    mneme_error error = {0};
    char *table;
    tiny_model_open(&tiny, &config);
    mneme_profile_start();
    for (int i = 0; i < 20; i++) forward_and_loss(&tiny);
    const char *path = temporary_path("profile.json");
    assert_ok(mneme_profile_finish(path, &table, &error), &error);
    ck_assert_ptr_nonnull(strstr(table, "\nlinear_forward "));
    ck_assert_ptr_nonnull(strstr(table, "\nlayers.2.feed_forward "));
    free(table);
    json_t *root = json_load_file(path, 0, NULL);
    ck_assert_ptr_nonnull(root);
    double wall = json_number_value(json_object_get(root, "seconds"));
    double kernels = json_number_value(json_object_get(root, "kernel_seconds"));
    ck_assert_double_gt(kernels, 0.0);
    ck_assert_double_le(kernels, wall);
    ck_assert_double_eq_tol(sum(root, "kernels", "seconds"), kernels, 1e-9);
    ck_assert_double_eq_tol(sum(root, "layers", "seconds"), kernels, 1e-9);
    ck_assert_double_eq_tol(sum(root, "cells", "seconds"), kernels, 1e-9);
    ck_assert_double_eq_tol(sum(root, "kernels", "flops"), sum(root, "cells", "flops"), 0.5);
    ck_assert_double_eq_tol(sum(root, "layers", "bytes"), sum(root, "cells", "bytes"), 0.5);
    json_t *roof = json_object_get(root, "roof");
    ck_assert_double_gt(json_number_value(json_object_get(roof, "gflops_per_second")), 0.0);
    ck_assert_double_gt(json_number_value(json_object_get(roof, "memory_gb_per_second")), 0.0);
    json_decref(root);
    tiny_model_close(&tiny);
}
END_TEST

Suite *profile_suite(void) {
    Suite *suite = suite_create("profile");
    TCase *counts = tcase_create("counts"), *files = tcase_create("files");
    tcase_add_test(counts, counts_by_the_formulas);
    tcase_add_test(counts, time_is_counted_once);
    tcase_add_test(counts, only_while_it_is_on);
    tcase_add_test(counts, only_the_thread_that_started_it);
    tcase_add_test(counts, layers_of_a_model);
    tcase_add_test(counts, no_bit_changes);
    tcase_add_checked_fixture(files, temporary_make, temporary_remove);
    tcase_add_test(files, file_adds_up);
    suite_add_tcase(suite, counts);
    suite_add_tcase(suite, files);
    return suite;
}
