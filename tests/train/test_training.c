/* Schedules, the order of texts, AdamW against its formula in double, and checkpoints: a training
 * that is cut and continued ends with the bits of one that was not. */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tiny_model.h"
#include "temporary.h"
#include "train/checkpoint.h"
#include "train/schedule.h"
#include "train/step.h"
#include "train/text_order.h"

START_TEST(schedules) {
    struct schedule s = {.kind = SCHEDULE_COSINE,
                         .warmup = 10,
                         .steps = 110,
                         .lr_min_ratio = 0.1f,
                         .cosine_theta = 1.0f,
                         .cycle_length = 1.0f,
                         .exp_factor = 0.5f};
    ck_assert(schedule_factor(&s, 0) == 0.1f);
    ck_assert(schedule_factor(&s, 9) == 1.0f);
    ck_assert(schedule_factor(&s, 10) == 1.0f);
    ck_assert_float_eq_tol(schedule_factor(&s, 60), 0.55f, 1e-6f);
    ck_assert_float_eq_tol(schedule_factor(&s, 110), 0.1f, 1e-6f);
    ck_assert_float_eq_tol(schedule_factor(&s, 500), 0.1f, 1e-6f);
    s.kind = SCHEDULE_LINEAR;
    ck_assert_float_eq_tol(schedule_factor(&s, 60), 0.55f, 1e-6f);
    s.kind = SCHEDULE_INVERSE_SQRT;
    ck_assert_float_eq_tol(schedule_factor(&s, 39), 0.5f, 1e-6f);
    s.kind = SCHEDULE_CONSTANT;
    ck_assert(schedule_factor(&s, 77) == 1.0f);
    s.warmup = 0;
    ck_assert(schedule_factor(&s, 0) == 1.0f);
}
END_TEST

START_TEST(adamw_formula) {
    struct parameter values = {.count = 37, .kind = PARAMETER_VALUES};
    struct parameter other = {.index = 1, .count = 70001};
    struct parameter *list[] = {&values, &other};
    struct adamw_settings settings = {0.9f, 0.95f, 1e-8f, 0.1f, 0.03f, 1.0f, CLIP_TOGETHER};
    struct optimizer optimizer;
    mneme_error error;
    values.data = calloc(values.count, sizeof(float));
    other.data = calloc(other.count, sizeof(float));
    assert_ok(optimizer_open(&optimizer, &settings, list, 2, &error), &error);
    for (size_t i = 0; i < other.count; i++) other.data[i] = 0.5f;
    double m = 0.0, v = 0.0, p = 0.5;
    for (int t = 1; t <= 5; t++) {
        optimizer_zero_gradients(&optimizer);
        float *gradient = gradient_of(&optimizer.gradients, &other);
        for (size_t i = 0; i < other.count; i++) gradient[i] = 0.01f * (float)t;
        const struct gradient_norms norms = optimizer_gradient_norms(&optimizer);
        const float norm = norms.common;
        ck_assert(norms.values == norm);
        double g = 0.01 * t, exact = sqrt((double)other.count) * g;
        ck_assert_double_eq_tol((double)norm, exact, 1e-4 * exact);
        optimizer_step(&optimizer, 0.02f, 0.5f, norms);
        g = exact > 1.0 ? g / exact : g;
        m = 0.9 * m + 0.1 * g;
        v = 0.95 * v + 0.05 * g * g;
        p -= 0.02 * 0.1 * p;
        p -= 0.02 * (m / (1 - pow(0.9, t))) / (sqrt(v / (1 - pow(0.95, t))) + 1e-8);
        ck_assert_double_eq_tol((double)other.data[0], p, 1e-5);
        ck_assert(other.data[0] == other.data[70000]);
        ck_assert(values.data[3] == 0.0f);
    }
    optimizer_close(&optimizer);
    free(values.data);
    free(other.data);
}
END_TEST

/* Texts 0, 1, 2, … of one to four tokens each. */
static struct token_texts make_texts(size_t n) {
    struct token_texts texts = {
        .n = n, .starts = calloc(n, sizeof(size_t)), .lengths = calloc(n, sizeof(size_t))};
    texts.tokens.ids = calloc(n * 5, sizeof(int32_t));
    for (size_t i = 0; i < n; i++) {
        texts.starts[i] = i * 5;
        texts.lengths[i] = 1 + i % 4;
        for (size_t j = 0; j < 5; j++) texts.tokens.ids[i * 5 + j] = (int32_t)i;
    }
    return texts;
}

START_TEST(every_epoch_is_a_permutation) {
    struct token_texts texts = make_texts(23);
    struct text_order order;
    struct batch_builder builder;
    mneme_error error;
    size_t seen[23] = {0}, n_read = 0;
    assert_ok(text_order_open(&order, &texts, 3, 1, &error), &error);
    assert_ok(batch_builder_open(&builder, 10, &error), &error);
    while (n_read < 23 * 4) {
        text_order_fill(&order, &builder, 10);
        ck_assert_uint_ge(builder.n_sequences, 2);
        for (size_t s = 0; s < builder.n_sequences; s++, n_read++) {
            int32_t text = builder.tokens[builder.starts[s]];
            ck_assert_uint_eq(seen[text]++, n_read / 23);
        }
    }
    /* The cursor is the whole state. */
    struct text_order again;
    assert_ok(text_order_open(&again, &texts, 3, 1, &error), &error);
    again.cursor = order.cursor;
    text_order_fill(&order, &builder, 10);
    int32_t first[10];
    memcpy(first, builder.tokens, sizeof first);
    text_order_fill(&again, &builder, 10);
    ck_assert_mem_eq(first, builder.tokens, builder.n_tokens * sizeof *first);
    text_order_close(&order);
    text_order_close(&again);
    batch_builder_close(&builder);
    token_texts_free(&texts);
}
END_TEST

/* A tiny model being trained. */
struct training {
    struct tiny_model tiny;
    struct optimizer optimizer;
};

static void open_training(struct training *t) {
    struct model_config config = tiny_model_config();
    struct adamw_settings settings = {0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 1.0f, CLIP_TOGETHER};
    struct parameter **list;
    size_t n;
    mneme_error error;
    tiny_model_open(&t->tiny, &config);
    assert_ok(optimizer_list_model(&t->tiny.model, &list, &n, &error), &error);
    assert_ok(optimizer_open(&t->optimizer, &settings, list, n, &error), &error);
    free(list);
}

static void train(struct training *t, int steps) {
    mneme_error error;
    struct step_result result;
    for (int i = 0; i < steps; i++) {
        assert_ok(step_run(&t->tiny.pass, &t->optimizer, &t->tiny.batch, 1,
                           (struct backward_extent){0}, 1e-2f, 1e-2f, NULL, &result, &error),
                  &error);
    }
}

static void close_training(struct training *t) {
    optimizer_close(&t->optimizer);
    tiny_model_close(&t->tiny);
}

START_TEST(checkpoints) {
    struct training whole, first, second;
    mneme_error error = {0};
    uint64_t cursor = 0;
    struct checkpoint_trail trail = {.known = true, .bytes = 1234}, read;
    bool sealed;
    const char *path = temporary_path("checkpoint.safetensors");
    memset(trail.digest.hex, 'a', 64);
    open_training(&whole);
    train(&whole, 6);
    open_training(&first);
    train(&first, 4);
    assert_ok(checkpoint_save(path, &first.optimizer, 99, NULL, &trail, &error), &error);
    close_training(&first);
    open_training(&second);
    assert_ok(checkpoint_load(path, &second.optimizer, &cursor, NULL, &read, &sealed, &error),
              &error);
    ck_assert(sealed && read.known);
    ck_assert_uint_eq(read.bytes, 1234);
    ck_assert_str_eq(read.digest.hex, trail.digest.hex);
    ck_assert_uint_eq(cursor, 99);
    ck_assert_uint_eq(second.optimizer.step, 4);
    train(&second, 2);
    ck_assert_mem_eq(second.tiny.model.arena.base, whole.tiny.model.arena.base,
                     whole.tiny.model.arena.size);
    close_training(&second);
    close_training(&whole);
}
END_TEST

/* A step that would write NaN leaves the parameters as they were. */
START_TEST(not_finite) {
    struct training t;
    mneme_error error = {0};
    struct step_result result;
    open_training(&t);
    t.tiny.model.norm->data[0] = INFINITY;
    size_t bytes = t.tiny.model.arena.size;
    void *before = malloc(bytes);
    memcpy(before, t.tiny.model.arena.base, bytes);
    ck_assert(step_run(&t.tiny.pass, &t.optimizer, &t.tiny.batch, 1, (struct backward_extent){0},
                       1e-2f, 1e-2f, NULL, &result, &error) == MNEME_FAILED);
    ck_assert_ptr_nonnull(strstr(error.message, "the loss is not finite"));
    ck_assert_mem_eq(before, t.tiny.model.arena.base, bytes);
    free(before);
    close_training(&t);
}
END_TEST

static bool is_listed(struct parameter *const *list, size_t n, const struct parameter *p) {
    for (size_t i = 0; i < n; i++) {
        if (list[i] == p) return true;
    }
    return false;
}

/* All parameters of two memory layers that share their values, and nothing else. */
START_TEST(memory_parameters) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    struct parameter **list;
    size_t n;
    mneme_error error;
    config.memory.n_layers = 2;
    config.memory.layers[1] = 2;
    config.memory.share_values = true;
    tiny_model_open(&tiny, &config);
    assert_ok(optimizer_list_memory(&tiny.model, &list, &n, &error), &error);
    for (size_t m = 0; m < 2; m++) {
        const struct layer *layer = &tiny.model.layers[config.memory.layers[m]];
        const struct parameter *expected[] = {
            layer->query_weight, layer->query_bias,   layer->keys,      layer->swilu_weight,
            layer->swilu_bias,   layer->value_weight, layer->value_bias};
        for (size_t i = 0; i < 7; i++) ck_assert(is_listed(list, n, expected[i]));
        ck_assert(!is_listed(list, n, layer->ffn_norm));
        ck_assert(!is_listed(list, n, layer->wq));
    }
    ck_assert(is_listed(list, n, tiny.model.layers[config.memory.layers[0]].values));
    ck_assert_uint_eq(n, 15);
    free(list);
    tiny_model_close(&tiny);
}
END_TEST

Suite *training_suite(void) {
    Suite *suite = suite_create("training");
    TCase *tests = tcase_create("train");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, schedules);
    tcase_add_test(tests, adamw_formula);
    tcase_add_test(tests, every_epoch_is_a_permutation);
    tcase_add_test(tests, checkpoints);
    tcase_add_test(tests, not_finite);
    tcase_add_test(tests, memory_parameters);
    suite_add_tcase(suite, tests);
    return suite;
}
