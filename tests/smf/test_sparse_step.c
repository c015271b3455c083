/* Sparse memory finetuning: what is counted, what is chosen, and that nothing else changes. */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/batch_reads.h"
#include "model/tiny_model.h"
#include "simd/math.h"
#include "smf/background.h"
#include "smf/slot_ranking.h"
#include "smf/sparse_step.h"
#include "temporary.h"
#include "train/optimizer.h"

static struct slot_ranking rank_all(enum slot_selection selection,
                                    const struct background *background, uint64_t seed) {
    return slot_ranking_make(selection, background, (struct slot_range){0, background->n_slots},
                             seed);
}

static void run_tf_idf(const struct background *background, size_t n_read, const int32_t *slots,
                       const size_t *starts, size_t n_best, struct ranked_slot *ranked) {
    const struct slot_ranking ranking = rank_all(SLOTS_TF_IDF, background, 0);
    slot_ranking_run(&ranking, 0, (struct slots_read){n_read, slots, starts}, n_best, ranked);
}

START_TEST(ranking) {
    mneme_error error;
    struct background background;
    const int32_t slots[] = {2, 3, 5, 8, 9};
    const size_t starts[] = {0, 4, 8, 9, 13, 23}; /* 4, 4, 1, 4, 10 reads */
    assert_ok(background_open(&background, 10, &error), &error);
    background.n_batches = 9;
    background.batches_reading[9] = 9; /* in every batch: idf = log(10/10) = 0 */
    background.batches_reading[3] = 4;
    struct ranked_slot ranked[5];
    run_tf_idf(&background, 5, slots, starts, 5, ranked);
    /* 2 and 8 tie at 4/23 log 10 and the lower slot wins; then 3, 5, and 9 with 0. */
    const size_t expected[] = {0, 3, 1, 2, 4};
    for (size_t i = 0; i < 5; i++) ck_assert_uint_eq(ranked[i].group, expected[i]);
    ck_assert(ranked[0].score == 4.0f / 23.0f * math_log(10.0f));
    ck_assert(ranked[4].score == 0.0f);
    background_close(&background);
}
END_TEST

/* A higher power of the IDF lets a slot that is read often by few batches alone fall behind. */
START_TEST(ranking_by_rarity) {
    mneme_error error;
    struct background background;
    const int32_t slots[] = {3, 8};
    const size_t starts[] = {0, 7, 9}; /* 7 and 2 reads */
    struct ranked_slot ranked[2];
    assert_ok(background_open(&background, 10, &error), &error);
    background.n_batches = 9;
    background.batches_reading[3] = 3; /* idf log(10/4), 8's log 10 */
    struct slot_ranking rarity = rank_all(SLOTS_TF_IDF, &background, 0);
    slot_ranking_run(&rarity, 0, (struct slots_read){2, slots, starts}, 2, ranked);
    ck_assert_uint_eq(ranked[0].group, 0);
    rarity.idf_power = 3;
    slot_ranking_run(&rarity, 0, (struct slots_read){2, slots, starts}, 2, ranked);
    const float idf = math_log(10.0f);
    ck_assert_uint_eq(ranked[0].group, 1);
    ck_assert(ranked[0].score == 2.0f / 9.0f * idf * idf * idf);
    background_close(&background);
}
END_TEST

/* The other selections, on a batch whose slot 2 is read most, and read most by the background. */
START_TEST(other_rankings) {
    mneme_error error;
    struct background background;
    const int32_t slots[] = {1, 2, 3};
    const size_t starts[] = {0, 2, 7, 10};
    const struct slots_read read = {3, slots, starts};
    struct ranked_slot ranked[3];
    assert_ok(background_open(&background, 4, &error), &error);
    background.reads[2] = 90;
    background.reads[3] = 4;
    struct slot_ranking by_tf = rank_all(SLOTS_TF, &background, 0);
    slot_ranking_run(&by_tf, 0, read, 3, ranked);
    const size_t expected_tf[] = {1, 2, 0};
    for (size_t i = 0; i < 3; i++) ck_assert_uint_eq(ranked[i].group, expected_tf[i]);
    ck_assert(ranked[0].score == 0.5f);

    /* q = 1/98, 91/98, 5/98 */
    struct slot_ranking by_kl = rank_all(SLOTS_KL, &background, 0);
    slot_ranking_run(&by_kl, 0, read, 3, ranked);
    const size_t expected_kl[] = {0, 2, 1};
    for (size_t i = 0; i < 3; i++) ck_assert_uint_eq(ranked[i].group, expected_kl[i]);
    ck_assert(ranked[0].score == 0.2f * math_log(0.2f / (1.0f / 98.0f)));

    struct slot_ranking random = rank_all(SLOTS_RANDOM, &background, 7);
    size_t first_is[3] = {0};
    for (size_t step = 0; step < 300; step++) {
        slot_ranking_run(&random, step, read, 3, ranked);
        first_is[ranked[0].group]++;
        ck_assert(ranked[0].score ==
                  random_uniform(7, RANDOM_STREAM_SLOTS,
                                 (uint64_t)step << 32 | (uint32_t)slots[ranked[0].group]));
    }
    for (size_t i = 0; i < 3; i++) ck_assert(first_is[i] > 70 && first_is[i] < 130);
    background_close(&background);
}
END_TEST

/* The best of many, most of which tie, are the first of all in order; the rest is all there. */
START_TEST(ranking_of_the_best) {
    enum { N = 5000 }; /* more than one thread takes */
    static const size_t n_best[] = {0, 1, 2, 3, 64, 333, N - 1, N, N + 5};
    mneme_error error;
    struct background background;
    static int32_t slots[N];
    static size_t starts[N + 1];
    static struct ranked_slot all[N], best[N];
    assert_ok(background_open(&background, N, &error), &error);
    background.n_batches = 3;
    for (size_t i = 0; i < N; i++) {
        slots[i] = (int32_t)i;
        starts[i + 1] = starts[i] + 1 + random_below(8, 1, i, 4);
        background.batches_reading[i] = (int32_t)random_below(8, 2, i, 4);
    }
    run_tf_idf(&background, N, slots, starts, N, all);
    for (size_t i = 1; i < N; i++) {
        ck_assert(all[i - 1].score > all[i].score ||
                  (all[i - 1].score == all[i].score && all[i - 1].group < all[i].group));
    }
    for (size_t c = 0; c < sizeof n_best / sizeof *n_best; c++) {
        run_tf_idf(&background, N, slots, starts, n_best[c], best);
        for (size_t i = 0; i < n_best[c] && i < N; i++) {
            ck_assert_uint_eq(best[i].group, all[i].group);
        }
        bool is_there[N] = {false};
        for (size_t i = 0; i < N; i++) {
            ck_assert(!is_there[best[i].group]);
            is_there[best[i].group] = true;
        }
    }
    background_close(&background);
}
END_TEST

START_TEST(background_file) {
    struct background background, loaded;
    mneme_error error = {0};
    const int32_t first[] = {0, 7}, second[] = {7};
    const char *path = temporary_path("background.safetensors");
    assert_ok(background_open(&background, 8, &error), &error);
    const size_t first_starts[] = {0, 3, 4}, second_starts[] = {0, 2};
    background_add(&background, (struct slots_read){2, first, first_starts});
    background_add(&background, (struct slots_read){1, second, second_starts});
    assert_ok(background_save(&background, path, &error), &error);
    assert_ok(background_load(&loaded, path, 8, &error), &error);
    ck_assert_uint_eq(loaded.n_batches, 2);
    ck_assert_mem_eq(loaded.batches_reading, background.batches_reading, 8 * sizeof(int32_t));
    ck_assert_mem_eq(loaded.reads, background.reads, 8 * sizeof(int32_t));
    ck_assert_int_eq(loaded.reads[0], 3);
    ck_assert_int_eq(loaded.reads[7], 3);
    background_close(&loaded);
    ck_assert(background_load(&loaded, path, 9, &error) == MNEME_BAD_INPUT);
    background.batches_reading[3] = 3; /* more batches than there were */
    assert_ok(background_save(&background, path, &error), &error);
    ck_assert(background_load(&loaded, path, 8, &error) == MNEME_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(error.message, "batches_reading[3]"));
    background.batches_reading[3] = 1; /* and never read */
    assert_ok(background_save(&background, path, &error), &error);
    ck_assert(background_load(&loaded, path, 8, &error) == MNEME_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(error.message, "reads[3]"));
    background_close(&background);
}
END_TEST

/* The rows of a table that differ from what they were have changed by -lr times the dense gradient;
 * returns how many, and makes them what they were. */
static size_t check_rows(const float *gradient, size_t n_slots, size_t v_dim, float lr,
                         const float *old, float *table) {
    size_t changed = 0;
    for (size_t slot = 0; slot < n_slots; slot++) {
        size_t first = slot * v_dim;
        if (memcmp(table + first, old + first, v_dim * sizeof *old) == 0) continue;
        changed++;
        for (size_t j = first; j < first + v_dim; j++) {
            ck_assert(table[j] == fmaf(-lr, gradient[j], old[j]));
        }
        memcpy(table + first, old + first, v_dim * sizeof *old);
    }
    return changed;
}

/* What the parameter's bytes were in a copy of the model's arena. */
static const float *in_copy(const struct model *model, const unsigned char *copy,
                            const float *table) {
    return (const float *)(const void *)(copy + ((const unsigned char *)table - model->arena.base));
}

/* Runs one step with t slots; checks that exactly the t best change, and by -lr times the dense
 * gradient of the values. */
static void check_step(const struct model_config *config, size_t t) {
    struct tiny_model tiny;
    struct background background;
    struct sparse_stepper stepper;
    struct sparse_step_result result;
    mneme_error error = {0};
    const float lr = 0.5f;
    tiny_model_open(&tiny, config);
    size_t v_dim = config->memory.v_dim, bytes = tiny.model.arena.size;
    size_t n_slots = tiny.model.n_tables * model_n_slots(config);
    assert_ok(background_open(&background, n_slots, &error), &error);
    background.n_batches = 6;
    for (size_t i = 0; i < n_slots; i++) {
        background.batches_reading[i] = (int32_t)random_below(4, 1, i, 7);
    }
    unsigned char *before = malloc(bytes);
    memcpy(before, tiny.model.arena.base, bytes);
    float *gradient = calloc(n_slots * v_dim, sizeof *gradient);

    const struct sparse_settings settings = {.n_trainable = t, .lr = lr};
    assert_ok(sparse_stepper_open(&stepper, &tiny.model, &background, &settings, 64, &error),
              &error);
    assert_ok(sparse_step_run(&stepper, &tiny.pass, &tiny.batch, false, &result, &error), &error);
    const struct activations *a = &tiny.pass.activations;
    ck_assert_uint_eq(result.n_chosen, result.n_read < t ? result.n_read : t);
    if (config->memory.peer_variant) {
        row_scatter_add(&stepper.reads, v_dim, a->expert_inputs, v_dim, gradient);
        const float *old = in_copy(&tiny.model, before, tiny.model.values_u);
        ck_assert_uint_eq(check_rows(gradient, n_slots, v_dim, lr, old, tiny.model.values_u),
                          result.n_chosen);
        memset(gradient, 0, n_slots * v_dim * sizeof *gradient);
        batch_reads_sort(&stepper.reads, &tiny.pass);
    }
    row_scatter_add(&stepper.reads, v_dim, a->d_reads, v_dim, gradient);
    const float *old = in_copy(&tiny.model, before, tiny.model.values);
    ck_assert_uint_eq(check_rows(gradient, n_slots, v_dim, lr, old, tiny.model.values),
                      result.n_chosen);
    ck_assert_mem_eq(tiny.model.arena.base, before, bytes);
    free(gradient);
    free(before);
    sparse_stepper_close(&stepper);
    background_close(&background);
    tiny_model_close(&tiny);
}

START_TEST(only_the_chosen_rows_change) {
    struct model_config config = tiny_model_config();
    check_step(&config, 5);
    check_step(&config, 10000);
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    check_step(&config, 12);
    config.memory.share_values = true;
    check_step(&config, 12);
}
END_TEST

START_TEST(variants) {
    struct model_config config = tiny_model_config();
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    config.memory.gated = true;
    config.memory.query_bias = false;
    config.memory.swilu_projection = false;
    check_step(&config, 12);
    config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    check_step(&config, 12);
    config.memory.peer_variant = true;
    check_step(&config, 12);
    config.memory.share_values = true;
    check_step(&config, 10000);
}
END_TEST

/* A tiny model, a background that no batch has read, and a stepper. */
struct stepping {
    struct tiny_model tiny;
    struct background background;
    struct sparse_stepper stepper;
};

static void stepping_open_config(struct stepping *s, const struct model_config *config,
                                 const struct sparse_settings *settings) {
    mneme_error error;
    tiny_model_open(&s->tiny, config);
    assert_ok(background_open(&s->background, model_n_slots(config), &error), &error);
    assert_ok(
        sparse_stepper_open(&s->stepper, &s->tiny.model, &s->background, settings, 64, &error),
        &error);
}

static void stepping_open(struct stepping *s, const struct sparse_settings *settings) {
    const struct model_config config = tiny_model_config();
    stepping_open_config(s, &config, settings);
}

static struct sparse_step_result stepping_run(struct stepping *s) {
    struct sparse_step_result result;
    mneme_error error;
    assert_ok(sparse_step_run(&s->stepper, &s->tiny.pass, &s->tiny.batch, false, &result, &error),
              &error);
    return result;
}

static void stepping_close(struct stepping *s) {
    sparse_stepper_close(&s->stepper);
    background_close(&s->background);
    tiny_model_close(&s->tiny);
}

START_TEST(all_that_was_read) {
    struct stepping s;
    const struct sparse_settings settings = {.n_trainable = 1, .selection = SLOTS_ALL, .lr = 0.5f};
    stepping_open(&s, &settings);
    struct sparse_step_result result = stepping_run(&s);
    ck_assert_uint_gt(result.n_read, 10);
    ck_assert_uint_eq(result.n_chosen, result.n_read);
    stepping_close(&s);
}
END_TEST

/* Two steps against the formula in double; the moments of a slot count only its own steps. */
START_TEST(adamw) {
    struct stepping s;
    const struct sparse_settings settings = {.n_trainable = 7,
                                             .selection = SLOTS_RANDOM,
                                             .seed = 3,
                                             .optimizer = SPARSE_ADAMW,
                                             .adamw = {.beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f},
                                             .lr = 0.01f};
    stepping_open(&s, &settings);
    const struct model *model = &s.tiny.model;
    size_t v_dim = model->config.memory.v_dim, n_slots = model_n_slots(&model->config);
    double *value = calloc(n_slots * v_dim, sizeof *value);
    double *m = calloc(n_slots * v_dim, sizeof *m), *v = calloc(n_slots * v_dim, sizeof *v);
    int *updates = calloc(n_slots, sizeof *updates), most = 0;
    for (size_t i = 0; i < n_slots * v_dim; i++) value[i] = (double)model->values[i];
    for (int step = 0; step < 12; step++) {
        struct sparse_step_result result = stepping_run(&s);
        for (size_t c = 0; c < result.n_chosen; c++) {
            size_t slot = (size_t)s.stepper.slots[c];
            int t = ++updates[slot];
            if (t > most) most = t;
            for (size_t j = 0; j < v_dim; j++) {
                size_t i = slot * v_dim + j;
                double g = (double)s.stepper.values[c * v_dim + j];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.95 * v[i] + 0.05 * g * g;
                value[i] -=
                    0.01 * (m[i] / (1 - pow(0.9, t))) / (sqrt(v[i] / (1 - pow(0.95, t))) + 1e-8);
            }
        }
    }
    ck_assert_int_gt(most, 1);
    for (size_t i = 0; i < n_slots * v_dim; i++) {
        ck_assert_double_eq_tol((double)model->values[i], value[i], 2e-5);
    }
    free(value);
    free(m);
    free(v);
    free(updates);
    stepping_close(&s);
}
END_TEST

/* With a norm of queries and keys the keys' gradient is that of a whole pass. */
START_TEST(keys_with_a_norm_learn) {
    struct sparse_settings settings = {.n_trainable = 6, .lr = 0.5f, .keys_lr = 0.25f};
    struct model_config config = tiny_model_config();
    struct stepping s;
    struct gradients whole;
    struct parameter **list;
    mneme_error error;
    size_t n;
    config.memory.lookup_norm = true;
    stepping_open_config(&s, &config, &settings);
    struct pass *pass = &s.tiny.pass;
    assert_ok(optimizer_list_memory(&s.tiny.model, &list, &n, &error), &error);
    assert_ok(gradients_open(&whole, n, list, &error), &error);
    assert_ok(model_forward(pass, &s.tiny.batch, NULL, &error), &error);
    model_loss(pass, &s.tiny.batch, 1.0f / (float)s.tiny.batch.n_tokens, &whole);
    model_backward(pass, &s.tiny.batch, &whole, (struct backward_extent){0});
    model_finish_gradients(pass, &whole);
    stepping_run(&s);
    const struct parameter *keys = s.tiny.model.layers[1].keys;
    ck_assert_mem_eq(gradient_of(&s.stepper.keys, keys), gradient_of(&whole, keys),
                     keys->count * sizeof(float));
    gradients_close(&whole);
    free(list);
    stepping_close(&s);
}
END_TEST

/* The keys move by -keys_lr times their gradient, and the values as if keys were frozen. */
START_TEST(keys_learn) {
    struct stepping frozen, learning;
    struct sparse_settings settings = {.n_trainable = 6, .lr = 0.5f};
    stepping_open(&frozen, &settings);
    settings.keys_lr = 0.25f;
    stepping_open(&learning, &settings);
    const struct model *model = &learning.tiny.model;
    struct parameter *keys = model->layers[model->config.memory.layers[0]].keys;
    const float *gradient = gradient_of(&learning.stepper.keys, keys);
    float *before = malloc(keys->count * sizeof *before);
    memcpy(before, keys->data, keys->count * sizeof *before);
    stepping_run(&frozen);
    stepping_run(&learning);
    size_t moved = 0;
    for (size_t i = 0; i < keys->count; i++) {
        ck_assert(keys->data[i] == fmaf(-0.25f, gradient[i], before[i]));
        moved += keys->data[i] != before[i];
    }
    ck_assert_uint_gt(moved, 100);
    ck_assert_mem_eq(model->values, frozen.tiny.model.values,
                     model_n_slots(&model->config) * model->config.memory.v_dim * sizeof(float));
    /* A second step starts from zero gradients again: it is the first one of who comes from there.
     */
    struct stepping fresh;
    stepping_open(&fresh, &settings);
    memcpy(fresh.tiny.model.arena.base, model->arena.base, model->arena.size);
    stepping_run(&fresh);
    const float *keys_of_fresh = fresh.tiny.model.layers[model->config.memory.layers[0]].keys->data;
    struct parameter *of_frozen = frozen.tiny.model.layers[model->config.memory.layers[0]].keys;
    memcpy(of_frozen->data, keys->data, keys->count * sizeof *before);
    stepping_run(&frozen);
    stepping_run(&learning);
    ck_assert_mem_eq(model->values, frozen.tiny.model.values,
                     model_n_slots(&model->config) * model->config.memory.v_dim * sizeof(float));
    ck_assert_mem_eq(keys->data, keys_of_fresh, keys->count * sizeof(float));
    free(before);
    stepping_close(&fresh);
    stepping_close(&learning);
    stepping_close(&frozen);
}
END_TEST

Suite *sparse_step_suite(void) {
    Suite *suite = suite_create("sparse_step");
    TCase *tests = tcase_create("smf");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, ranking);
    tcase_add_test(tests, ranking_of_the_best);
    tcase_add_test(tests, ranking_by_rarity);
    tcase_add_test(tests, other_rankings);
    tcase_add_test(tests, background_file);
    tcase_add_test(tests, only_the_chosen_rows_change);
    tcase_add_test(tests, variants);
    tcase_add_test(tests, all_that_was_read);
    tcase_add_test(tests, adamw);
    tcase_add_test(tests, keys_learn);
    tcase_add_test(tests, keys_with_a_norm_learn);
    suite_add_tcase(suite, tests);
    return suite;
}
