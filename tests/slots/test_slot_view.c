/* Which slots a fact reads, from reads that are written by hand. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "simd/math.h"
#include "slots/slot_view.h"

/* Three wordings: slot 2 is read by all, slot 5 by two of them, slot 9 once. */
static struct slot_read reads[] = {{2, 0, 7}, {2, 0, 7}, {2, 1, 8}, {2, 2, 7},
                                   {5, 0, 4}, {5, 2, 3}, {9, 1, 8}};
static int32_t slots[] = {2, 5, 9};
static size_t starts[] = {0, 4, 6, 7};
static const struct slot_reads some = {.reads = reads,
                                       .n = 7,
                                       .n_texts = 3,
                                       .n_tokens = 5,
                                       .n_slots = 3,
                                       .slots = slots,
                                       .starts = starts};

static int32_t batches[10] = {0, 0, 3, 0, 1, 0, 0, 0, 0, 2};
static int32_t background_reads[10] = {0, 0, 6, 0, 1, 0, 0, 0, 0, 2};
static const struct background background = {
    .n_slots = 10, .n_batches = 3, .batches_reading = batches, .reads = background_reads};

START_TEST(fact) {
    struct slot_fact found = {0};
    mneme_error error;
    ck_assert(slot_fact_make(&some, &background, (struct trainable_rule){2, 10}, &found, &error) ==
              MNEME_OK);
    ck_assert_uint_eq(found.n_slots, 3);
    ck_assert_uint_eq(found.n_shared, 1);
    ck_assert_uint_eq(found.n_trainable, 2);
    /* 5: 2/7 log 4; 9: 1/7 log(4/3); 2: every batch reads it. */
    const int32_t order[] = {5, 9, 2};
    for (size_t i = 0; i < 3; i++) ck_assert_int_eq(found.slots[i].slot, order[i]);
    ck_assert(found.slots[0].idf == math_log(4.0f));
    ck_assert(found.slots[2].score == 0.0f);
    ck_assert(found.slots[1].trainable && !found.slots[2].trainable);
    ck_assert_uint_eq(found.slots[0].n_texts, 2);
    ck_assert_uint_eq(found.slots[2].n_texts, 3);
    ck_assert_uint_eq(found.slots[2].n_tokens, 2);
    ck_assert_int_eq(found.slots[2].tokens[0], 7);
    ck_assert_uint_eq(found.slots[2].token_reads[0], 3);
    ck_assert_int_eq(found.slots[0].tokens[0], 3); /* of equals the lower id */
    ck_assert_double_eq_tol(found.trainable_share, 3.0 / 7.0, 1e-12);
    slot_fact_free(&found);
}
END_TEST

START_TEST(usage) {
    struct slot_usage found;
    slot_usage_count(&background, &found);
    ck_assert_uint_eq(found.dead, 7);
    ck_assert_uint_eq(found.in_all, 1);
    ck_assert_uint_eq(found.n_bins, 3); /* 0, 1, 2-3 */
    ck_assert_uint_eq(found.slots[0], 7);
    ck_assert_uint_eq(found.slots[1], 1);
    ck_assert_uint_eq(found.slots[2], 2);
    ck_assert(found.reads[2] == 8.0);
    /* exp of the entropy of 6/9, 1/9, 2/9 */
    ck_assert_double_eq_tol(found.effective, 2.33657, 1e-3);
}
END_TEST

START_TEST(overlap) {
    const int32_t a[] = {1, 4, 6, 9}, b[] = {0, 4, 9};
    ck_assert_uint_eq(slot_common(4, a, 3, b), 2);
    ck_assert_uint_eq(slot_common(4, a, 4, a), 4);
    ck_assert_uint_eq(slot_common(4, a, 0, b), 0);
    struct ranked_slot ranked[3];
    int32_t set[2];
    const struct trainable_rule of_all = {2, 10}, of_tables = {1, 5};
    ck_assert_uint_eq(slot_trainable_set(&some, &background, of_all, ranked, set), 2);
    ck_assert_int_eq(set[0], 5);
    ck_assert_int_eq(set[1], 9);
    /* Slots 0 to 4 and 5 to 9 are a table each: its best one. */
    ck_assert_uint_eq(slot_trainable_set(&some, &background, of_tables, ranked, set), 2);
    ck_assert_int_eq(set[0], 2);
    ck_assert_int_eq(set[1], 5);
    uint32_t common[] = {2, 1, 0, 1, 2, 2, 0, 2, 2};
    struct slot_overlap of_three = {3, 2, common};
    size_t most, i, j;
    ck_assert_double_eq_tol(slot_overlap_mean(&of_three, &most, &i, &j), 1.0, 1e-12);
    ck_assert_uint_eq(most, 2);
    ck_assert_uint_eq(i, 1);
    ck_assert_uint_eq(j, 2);
}
END_TEST

Suite *slot_view_suite(void) {
    Suite *suite = suite_create("slot_view");
    TCase *tests = tcase_create("slots");
    tcase_add_test(tests, fact);
    tcase_add_test(tests, usage);
    tcase_add_test(tests, overlap);
    suite_add_tcase(suite, tests);
    return suite;
}
