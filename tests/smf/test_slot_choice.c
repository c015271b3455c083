/* Which slots a step changes when there are several tables, and against an empty background. */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/batch_reads.h"
#include "model/tiny_model.h"
#include "simd/math.h"
#include "smf/sparse_step.h"
#include "tests/assertions.h"

enum { SLOTS = 81 }; /* of a table */

/* A tiny model with two memory layers, a background, and a stepper. */
struct choosing {
    struct tiny_model tiny;
    struct background background;
    struct sparse_stepper stepper;
};

static void choosing_open(struct choosing *c, const struct sparse_settings *settings, bool shared,
                          size_t n_batches) {
    struct model_config config = tiny_model_config();
    mneme_error error;
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    config.memory.share_values = shared;
    tiny_model_open(&c->tiny, &config);
    size_t n = c->tiny.model.n_tables * model_n_slots(&config);
    assert_ok(background_open(&c->background, n, &error), &error);
    c->background.n_batches = n_batches;
    for (size_t i = 0; n_batches > 0 && i < n; i++) {
        c->background.batches_reading[i] = (int32_t)random_below(4, 1, i, 7);
        c->background.reads[i] = c->background.batches_reading[i] * 5;
    }
    assert_ok(
        sparse_stepper_open(&c->stepper, &c->tiny.model, &c->background, settings, 64, &error),
        &error);
}

static struct sparse_step_result choosing_run(struct choosing *c) {
    struct sparse_step_result result;
    mneme_error error;
    assert_ok(sparse_step_run(&c->stepper, &c->tiny.pass, &c->tiny.batch, false, &result, &error),
              &error);
    ck_assert_uint_eq(result.n_chosen, c->stepper.n_chosen);
    return result;
}

static void choosing_close(struct choosing *c) {
    sparse_stepper_close(&c->stepper);
    background_close(&c->background);
    tiny_model_close(&c->tiny);
}

/* TF-IDF or KL of the slots [first, end), written down a second time, of those that were read. */
static void score_again(const struct choosing *c, bool kl, size_t first, size_t end,
                        double *scores) {
    const struct slots_read read = batch_reads_slots(&c->stepper.reads);
    double all = 0.0, of_background = 0.0;
    for (size_t i = 0; i < read.n; i++) {
        size_t slot = (size_t)read.slots[i];
        if (slot >= first && slot < end) all += (double)(read.starts[i + 1] - read.starts[i]);
    }
    for (size_t s = first; s < end; s++) of_background += 1.0 + (double)c->background.reads[s];
    for (size_t i = 0; i < read.n; i++) {
        size_t slot = (size_t)read.slots[i];
        if (slot < first || slot >= end) continue;
        double p = (double)(read.starts[i + 1] - read.starts[i]) / all;
        double idf = log((double)(c->background.n_batches + 1) /
                         (1.0 + (double)c->background.batches_reading[slot]));
        double q = (1.0 + (double)c->background.reads[slot]) / of_background;
        scores[slot] = kl ? p * log(p / q) : p * idf;
    }
}

/* How many of the slots in [first, end) that were read come before `slot`; scores nearer to each
 * other than 1e-6 are the same, since they differ by rounding alone. */
static size_t rank_of(const double *scores, size_t first, size_t end, size_t slot) {
    size_t before = 0;
    for (size_t s = first; s < end; s++) {
        if (isnan(scores[s])) continue;
        bool same = fabs(scores[s] - scores[slot]) < 1e-6;
        before += same ? s < slot : scores[s] > scores[slot];
    }
    return before;
}

/* Exactly the t best of each table are chosen, and change. */
static void check_per_table(enum slot_selection selection, size_t t) {
    struct choosing c;
    const struct sparse_settings settings = {
        .n_trainable = t, .trainable_per = TRAINABLE_PER_TABLE, .selection = selection, .lr = 0.5f};
    choosing_open(&c, &settings, false, 6);
    const struct model *model = &c.tiny.model;
    size_t v_dim = model->config.memory.v_dim, n_slots = model_n_slots(&model->config);
    float *before = malloc(2 * n_slots * v_dim * sizeof *before);
    double scores[2 * SLOTS];
    ck_assert_uint_eq(n_slots, SLOTS);
    memcpy(before, model->values, 2 * n_slots * v_dim * sizeof *before);
    for (size_t i = 0; i < 2 * SLOTS; i++) scores[i] = NAN;
    struct sparse_step_result result = choosing_run(&c);
    size_t chosen = 0;
    for (size_t table = 0; table < 2; table++) {
        size_t first = table * n_slots, end = first + n_slots;
        score_again(&c, selection == SLOTS_KL, first, end, scores);
        for (size_t slot = first; slot < end; slot++) {
            bool is_best = !isnan(scores[slot]) && rank_of(scores, first, end, slot) < t;
            bool changed = memcmp(before + slot * v_dim, model->values + slot * v_dim,
                                  v_dim * sizeof *before) != 0;
            ck_assert_msg(changed == is_best, "table %zu, slot %zu", table, slot - first);
            chosen += changed;
        }
    }
    const struct slots_read read = batch_reads_slots(&c.stepper.reads);
    for (size_t i = 0; i < read.n; i++) {
        const struct ranked_slot *ranked = &c.stepper.ranked[i];
        ck_assert_double_eq_tol((double)ranked->score, scores[read.slots[ranked->group]], 1e-6);
    }
    ck_assert_uint_eq(result.n_chosen, chosen);
    if (t < 10) ck_assert_uint_eq(chosen, 2 * t);
    ck_assert_uint_eq(sparse_stepper_count(&c.stepper), 2 * (t < n_slots ? t : n_slots) * v_dim);
    free(before);
    choosing_close(&c);
}

START_TEST(of_each_table) {
    check_per_table(SLOTS_TF_IDF, 5);
    check_per_table(SLOTS_TF_IDF, 1);
    check_per_table(SLOTS_KL, 5);
    check_per_table(SLOTS_TF_IDF, 10000);
}
END_TEST

/* One table is the model. */
START_TEST(of_a_shared_table) {
    struct choosing one, other;
    struct sparse_settings settings = {.n_trainable = 7, .lr = 0.5f};
    choosing_open(&one, &settings, true, 6);
    settings.trainable_per = TRAINABLE_PER_TABLE;
    choosing_open(&other, &settings, true, 6);
    choosing_run(&one);
    choosing_run(&other);
    ck_assert_mem_eq(one.tiny.model.arena.base, other.tiny.model.arena.base,
                     one.tiny.model.arena.size);
    choosing_close(&other);
    choosing_close(&one);
}
END_TEST

/* Against no batches every slot's IDF is log(1 / 1) = 0: all tie, and the lower slots win. */
START_TEST(empty_background) {
    struct choosing c;
    struct sparse_settings settings = {.n_trainable = 6, .lr = 0.5f};
    choosing_open(&c, &settings, false, 0);
    choosing_run(&c);
    const struct slots_read read = batch_reads_slots(&c.stepper.reads);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_int_eq(c.stepper.slots[i], read.slots[i]);
        ck_assert(c.stepper.ranked[i].score == 0.0f);
    }
    choosing_close(&c);

    /* KL compares with the same share for all: it ranks by reads. */
    settings.selection = SLOTS_KL;
    choosing_open(&c, &settings, false, 0);
    choosing_run(&c);
    const struct slots_read again = batch_reads_slots(&c.stepper.reads);
    const float n = (float)c.background.n_slots, all = (float)again.starts[again.n];
    for (size_t i = 0; i < 6; i++) {
        size_t group = c.stepper.ranked[i].group;
        float p = (float)(again.starts[group + 1] - again.starts[group]) / all;
        ck_assert(c.stepper.ranked[i].score == p * math_log(p / (1.0f / n)));
    }
    choosing_close(&c);
}
END_TEST

/* With adamw-dense a slot that was chosen once changes in steps that choose others. */
START_TEST(dense_adamw_moves_on) {
    struct choosing c;
    const struct sparse_settings settings = {.n_trainable = 3,
                                             .selection = SLOTS_RANDOM,
                                             .optimizer = SPARSE_ADAMW_DENSE,
                                             .adamw = {.beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f},
                                             .lr = 0.01f};
    choosing_open(&c, &settings, false, 6);
    const struct model *model = &c.tiny.model;
    const size_t v_dim = model->config.memory.v_dim;
    choosing_run(&c);
    const int32_t slot = c.stepper.slots[0];
    float row[64];
    memcpy(row, model->values + (size_t)slot * v_dim, v_dim * sizeof *row);
    choosing_run(&c);
    for (size_t i = 0; i < 3; i++) ck_assert_int_ne(c.stepper.slots[i], slot);
    ck_assert_mem_ne(row, model->values + (size_t)slot * v_dim, v_dim * sizeof *row);
    ck_assert_uint_eq(c.stepper.moments.n_touched, 6);
    ck_assert_uint_eq(sparse_stepper_count(&c.stepper), c.background.n_slots * v_dim);
    choosing_close(&c);
}
END_TEST

Suite *slot_choice_suite(void) {
    Suite *suite = suite_create("slot_choice");
    TCase *tests = tcase_create("smf");
    tcase_add_test(tests, of_each_table);
    tcase_add_test(tests, of_a_shared_table);
    tcase_add_test(tests, empty_background);
    tcase_add_test(tests, dense_adamw_moves_on);
    suite_add_tcase(suite, tests);
    return suite;
}
