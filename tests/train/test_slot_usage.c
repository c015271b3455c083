/* What a training reads of its memory, as figures. */

#include "assertions.h"

#include <math.h>
#include <string.h>

#include "train/slot_usage.h"

Suite *slot_usage_suite(void);

enum { N_SLOTS = 100 };

static void open_usage(struct slot_usage *usage) {
    struct model model = {.n_tables = 1, .config = {.memory = {.n_keys = 10}}};
    mneme_error error;
    assert_ok(slot_usage_open(usage, &model, &error), &error);
    ck_assert_uint_eq(usage->n_slots, N_SLOTS);
}

/* Expected: torch.distributions.Categorical(counts).perplexity() in float64. */
START_TEST(figures) {
    struct slot_usage usage;
    const int32_t slots[] = {0, 63, 64, 99};
    const size_t starts[] = {0, 1, 3, 8, 16};
    open_usage(&usage);
    slot_usage_add(&usage, (struct slots_read){4, slots, starts});
    struct slot_figures found = slot_usage_end_step(&usage);
    ck_assert_uint_eq(found.slots, 4);
    ck_assert_float_eq_tol(found.perplexity, 3.137025965011511f, 1e-6f);
    ck_assert_float_eq(found.never_read, 0.96f);
    slot_usage_close(&usage);
}
END_TEST

/* Parts of a batch add up; the next step begins at nothing, but for what was ever read. */
START_TEST(parts_and_steps) {
    struct slot_usage whole, parts;
    const int32_t slots[] = {5, 7, 80}, first[] = {5, 80}, second[] = {5, 7, 80};
    const size_t starts[] = {0, 3, 4, 9}, of_first[] = {0, 2, 4}, of_second[] = {0, 1, 2, 5};
    const int32_t others[] = {7, 8};
    const size_t of_others[] = {0, 6, 12};
    open_usage(&whole);
    open_usage(&parts);
    slot_usage_add(&whole, (struct slots_read){3, slots, starts});
    slot_usage_add(&parts, (struct slots_read){2, first, of_first});
    slot_usage_add(&parts, (struct slots_read){3, second, of_second});
    struct slot_figures a = slot_usage_end_step(&whole), b = slot_usage_end_step(&parts);
    ck_assert_mem_eq(&a, &b, sizeof a);
    slot_usage_add(&parts, (struct slots_read){2, others, of_others});
    b = slot_usage_end_step(&parts);
    ck_assert_uint_eq(b.slots, 2);
    ck_assert_float_eq_tol(b.perplexity, 2.0f, 1e-6f);
    ck_assert_float_eq(b.never_read, 0.96f);
    slot_usage_close(&whole);
    slot_usage_close(&parts);
}
END_TEST

/* A file's bits beyond the last slot are no slots. */
START_TEST(sound) {
    struct slot_usage usage;
    open_usage(&usage);
    usage.ever[1] = (uint64_t)1 << (N_SLOTS - 1 - 64);
    ck_assert(slot_usage_is_sound(&usage));
    usage.ever[1] = (uint64_t)1 << (N_SLOTS - 64);
    ck_assert(!slot_usage_is_sound(&usage));
    slot_usage_close(&usage);
}
END_TEST

START_TEST(collapse) {
    const struct slot_figures found = {.slots = 20, .perplexity = 9.9f};
    ck_assert(slot_usage_collapsed(found, 1000, 5000));
    ck_assert(slot_usage_collapsed(found, 5000, 1000));
    ck_assert(!slot_usage_collapsed(found, 980, 5000));
    ck_assert(!slot_usage_collapsed(found, 5000, 980));
}
END_TEST

Suite *slot_usage_suite(void) {
    Suite *suite = suite_create("slot_usage");
    TCase *tests = tcase_create("slot_usage");
    tcase_add_test(tests, figures);
    tcase_add_test(tests, parts_and_steps);
    tcase_add_test(tests, sound);
    tcase_add_test(tests, collapse);
    suite_add_tcase(suite, tests);
    return suite;
}
