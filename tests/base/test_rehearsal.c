/* What is opened in a rehearsal is counted and takes no memory; what is computed is not. */

#include <check.h>
#include <string.h>

#include "assertions.h"
#include "base/memory.h"
#include "base/rehearsal.h"
#include "model/tiny_model.h"

#define GIGABYTE ((size_t)1 << 30)

static size_t bytes_of(const struct rehearsal *r, const char *name) {
    for (size_t i = 0; i < r->n_parts; i++) {
        if (strcmp(r->parts[i].name, name) == 0) return r->parts[i].at_peak;
    }
    return 0;
}

/* 64 GB of arenas, of which nothing is touched. */
START_TEST(counted) {
    struct rehearsal rehearsal;
    struct arena arenas[2];
    float *array;
    mneme_error error = {0};
    const struct arena_piece piece = {&array, 32 * GIGABYTE, 1};
    rehearsal_begin(&rehearsal);
    ck_assert(rehearsal_is_on());
    assert_ok(arena_layout(&arenas[0], 1, &piece, "one", &error), &error);
    assert_ok(arena_layout_scratch(&arenas[1], 1, &piece, "other", &error), &error);
    ck_assert_uint_eq(rehearsal.now, 64 * GIGABYTE);
    ck_assert(array[0] == 0.0f && array[8 * GIGABYTE - 1] == 0.0f);
    arena_close(&arenas[0]);
    ck_assert_uint_eq(rehearsal.now, 32 * GIGABYTE);
    ck_assert_uint_eq(rehearsal.peak, 64 * GIGABYTE);
    ck_assert_uint_eq(bytes_of(&rehearsal, "one"), 32 * GIGABYTE);
    rehearsal_add("little", 5);
    ck_assert_uint_eq(rehearsal_take("little", 7), 5);
    ck_assert_uint_eq(rehearsal.peak, 64 * GIGABYTE);
    ck_assert_uint_eq(bytes_of(&rehearsal, "little"), 0);
    rehearsal_mark(&rehearsal);
    ck_assert_uint_eq(rehearsal.peak, 32 * GIGABYTE);
    ck_assert_uint_eq(bytes_of(&rehearsal, "one"), 0);
    arena_close(&arenas[1]);
    rehearsal_end(&rehearsal);
    ck_assert(!rehearsal_is_on());
}
END_TEST

/* An arena of before is real, and stays so. */
START_TEST(real_before_and_after) {
    struct rehearsal rehearsal;
    struct arena before, after;
    unsigned char *array;
    mneme_error error = {0};
    const struct arena_piece piece = {&array, 5000, 1};
    assert_ok(arena_layout(&before, 1, &piece, "before", &error), &error);
    rehearsal_begin(&rehearsal);
    struct rehearsal *paused = rehearsal_pause();
    assert_ok(arena_layout(&after, 1, &piece, "after", &error), &error);
    rehearsal_go_on(paused);
    arena_close(&before);
    ck_assert_uint_eq(rehearsal.peak, 0);
    rehearsal_end(&rehearsal);
    arena_close(&after);
}
END_TEST

/* A model far larger than any machine is opened, trained with and closed, but for its passes. */
START_TEST(passes_are_not_made) {
    struct rehearsal rehearsal;
    struct tiny_model real;
    struct model model;
    struct pass pass;
    mneme_error error = {0};
    struct model_config config = tiny_model_config();
    tiny_model_open(&real, &config);
    config.memory.n_keys = 46340;
    config.memory.v_dim = 256; /* two terabytes */
    rehearsal_begin(&rehearsal);
    assert_ok(model_open(&config, &model, &error), &error);
    model_initialize(&model, 1);
    assert_ok(pass_open(&pass, &model, 64, true, &error), &error);
    model.layers[0].wq->data[0] = 1.0f;
    assert_ok(pass_pack(&pass, 0, &error), &error);
    const float *packed = packed_weights_of(&pass.packed, model.layers[0].wq).forward;
    ck_assert(packed[0] == 0.0f);
    ck_assert_uint_gt(rehearsal.peak, 2000 * GIGABYTE);
    assert_refused(model_forward(&pass, &real.batch, NULL, &error), &error, MNEME_FAILED, "",
                   "rehearsal");
    ck_assert_int_eq((int)rehearsal_ends(MNEME_FAILED), MNEME_OK);
    ck_assert_int_eq((int)rehearsal_ends(MNEME_FAILED), MNEME_FAILED); /* that was something else */
    pass_close(&pass);
    model_close(&model);
    ck_assert_uint_eq(rehearsal.now, 0);
    rehearsal_end(&rehearsal);
    assert_ok(model_forward(&real.pass, &real.batch, NULL, &error), &error);
    tiny_model_close(&real);
}
END_TEST

START_TEST(refused) {
    struct rehearsal rehearsal;
    struct arena arena;
    float *array;
    mneme_error error = {0};
    const struct arena_piece piece = {&array, (size_t)1 << 60, 1};
    rehearsal_begin(&rehearsal);
    assert_refused(arena_layout(&arena, 1, &piece, "too much", &error), &error, MNEME_FAILED, "",
                   "too much");
    ck_assert_uint_eq(rehearsal.refused, (size_t)1 << 60);
    rehearsal_end(&rehearsal);
}
END_TEST

Suite *rehearsal_suite(void) {
    Suite *suite = suite_create("rehearsal");
    TCase *tests = tcase_create("rehearsals");
    tcase_add_test(tests, counted);
    tcase_add_test(tests, real_before_and_after);
    tcase_add_test(tests, passes_are_not_made);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
    return suite;
}
