/* The comparison at equal new-fact F1. */

#include <check.h>

#include "compare/front.h"

static const struct point full[] = {
    {1e-4, 0.2, 0.9, false}, {3e-4, 0.5, 0.6, false}, {1e-3, 0.4, 0.1, false}};
static const struct point smf[] = {
    {10, 0.1, 1.0, false}, {50, 0.6, 0.9, false}, {200, 0.8, 0.5, false}};
static const struct point base = {0, 0.0, 1.0, false};

START_TEST(choice) {
    ck_assert_uint_eq(front_choose(full, 3, 0.5), 1);
    ck_assert_uint_eq(front_choose(full, 3, 0.1), 0);
    ck_assert_uint_eq(front_choose(smf, 3, 0.5), 1);
    /* Of equals the higher new F1, then the smaller learning rate. */
    static const struct point equal[] = {
        {1, 0.5, 0.5, false}, {3, 0.6, 0.5, false}, {2, 0.6, 0.5, false}};
    ck_assert_uint_eq(front_choose(equal, 3, 0.5), 2);
    /* Nobody reaches the level. */
    ck_assert_uint_eq(front_choose(equal, 3, 0.7), 0);
}
END_TEST

START_TEST(front) {
    /* The third is worse than the first in both, the fourth in one; the last equals the second. */
    static const struct point points[] = {{1, 0.5, 0.6, false},
                                          {2, 0.2, 0.9, false},
                                          {3, 0.4, 0.1, false},
                                          {4, 0.5, 0.5, false},
                                          {5, 0.2, 0.9, false}};
    static const bool on[] = {true, true, false, false, false};
    for (size_t i = 0; i < 5; i++) ck_assert_int_eq(front_has(points, 5, i), on[i]);
}
END_TEST

START_TEST(interpolation) {
    ck_assert(front_known_at(full, 3, base, 0.5) == 0.6);
    ck_assert_double_eq_tol(front_known_at(full, 3, base, 0.35), 0.75, 1e-12);
    ck_assert_double_eq_tol(front_known_at(full, 3, base, 0.1), 0.95, 1e-12);
    /* (0.1, 1.0) beats the base; between it and (0.6, 0.9) */
    ck_assert_double_eq_tol(front_known_at(smf, 3, base, 0.35), 0.95, 1e-12);
    /* A level that the method's front begins above. */
    ck_assert(front_known_at(smf, 3, base, 0.05) == 1.0);
    /* Nobody learned anything: the base is better than the only point. */
    static const struct point none[] = {{1, 0.0, 0.7, false}};
    ck_assert(front_known_at(none, 1, base, 0.0) == 1.0);
    /* Beyond the end of the front: its last point. */
    ck_assert(front_known_at(full, 3, base, 0.9) == 0.6);
}
END_TEST

/* A finetuning that diverged is no point: whatever it holds, all is as if it were not there. */
START_TEST(absent) {
    static const struct point with[] = {
        {1, 0.9, 0.95, true}, {10, 0.1, 1.0, false}, {50, 0.6, 0.9, false}, {70, 0.7, 1.0, true}};
    static const struct point none[] = {{1, 0.9, 0.9, true}, {2, 0.8, 0.8, true}};
    static const bool on[] = {false, true, true, false};
    for (size_t i = 0; i < 4; i++) ck_assert_int_eq(front_has(with, 4, i), on[i]);
    ck_assert_uint_eq(front_choose(with, 4, 0.5), 2);
    ck_assert_uint_eq(front_choose(with, 4, 0.8), 1);
    ck_assert_double_eq_tol(front_known_at(with, 4, base, 0.35), 0.95, 1e-12);
    ck_assert_uint_eq(front_choose(none, 2, 0.0), 2);
    ck_assert(front_known_at(none, 2, base, 0.5) == 1.0);
}
END_TEST

START_TEST(lost) {
    ck_assert(front_lost_percent(0.8, 0.4) == 50.0);
    ck_assert(front_lost_percent(0.0, 0.0) == 0.0);
    ck_assert(front_lost_percent(0.5, 0.6) < 0.0);
}
END_TEST

Suite *front_suite(void) {
    Suite *suite = suite_create("front");
    TCase *tests = tcase_create("equal F1");
    tcase_add_test(tests, choice);
    tcase_add_test(tests, front);
    tcase_add_test(tests, interpolation);
    tcase_add_test(tests, absent);
    tcase_add_test(tests, lost);
    suite_add_tcase(suite, tests);
    return suite;
}
