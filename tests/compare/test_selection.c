/* The comparison at equal new-fact F1. */

#include <check.h>

#include "compare/selection.h"

static const struct sweep_point full[] = {{1e-4, 0.2, 0.9}, {3e-4, 0.5, 0.6}, {1e-3, 0.4, 0.1}};
static const struct sweep_point smf[] = {{10, 0.1, 1.0}, {50, 0.6, 0.9}, {200, 0.8, 0.5}};
static const struct sweep_point base = {0, 0.0, 1.0};

START_TEST(level) {
    struct sweep sweeps[] = {{full, 3}, {smf, 3}};
    ck_assert(selection_level(sweeps, 2) == 0.5);
    ck_assert(selection_level(sweeps + 1, 1) == 0.8);
}
END_TEST

START_TEST(choice) {
    struct sweep of_full = {full, 3}, of_smf = {smf, 3};
    ck_assert_uint_eq(selection_choose(&of_full, 0.5), 1);
    ck_assert_uint_eq(selection_choose(&of_full, 0.1), 0);
    ck_assert_uint_eq(selection_choose(&of_smf, 0.5), 1);
    static const struct sweep_point equal[] = {{1, 0.5, 0.5}, {2, 0.6, 0.5}, {3, 0.6, 0.5}};
    struct sweep of_equal = {equal, 3};
    ck_assert_uint_eq(selection_choose(&of_equal, 0.5), 1);
}
END_TEST

START_TEST(interpolation) {
    struct sweep of_full = {full, 3}, of_smf = {smf, 3};
    ck_assert(selection_known_at(&of_full, base, 0.5) == 0.6);
    ck_assert_double_eq_tol(selection_known_at(&of_full, base, 0.35), 0.75, 1e-12);
    ck_assert_double_eq_tol(selection_known_at(&of_full, base, 0.1), 0.95, 1e-12);
    /* (0.1, 1.0) dominates the base; between it and (0.6, 0.9) */
    ck_assert_double_eq_tol(selection_known_at(&of_smf, base, 0.35), 0.95, 1e-12);
    /* A level that the method's front begins above. */
    ck_assert(selection_known_at(&of_smf, base, 0.05) == 1.0);
    /* Nobody learned anything. */
    static const struct sweep_point none[] = {{1, 0.0, 0.7}};
    struct sweep of_none = {none, 1};
    ck_assert(selection_known_at(&of_none, base, 0.0) == 1.0);
}
END_TEST

START_TEST(drop) {
    ck_assert(selection_drop_percent(0.8, 0.4) == 50.0);
    ck_assert(selection_drop_percent(0.0, 0.0) == 0.0);
    ck_assert(selection_drop_percent(0.5, 0.6) < 0.0);
}
END_TEST

Suite *selection_suite(void) {
    Suite *suite = suite_create("selection");
    TCase *tests = tcase_create("equal F1");
    tcase_add_test(tests, level);
    tcase_add_test(tests, choice);
    tcase_add_test(tests, interpolation);
    tcase_add_test(tests, drop);
    suite_add_tcase(suite, tests);
    return suite;
}
