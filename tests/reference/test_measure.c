/* The measure of equivalence: what it is on a few numbers, and where it draws the line. */

#include <check.h>
#include <math.h>

#include "reference/measure.h"

START_TEST(errors) {
    const double exact[] = {3.0, 0.0, -4.0};
    const float found[] = {3.0f, 0x1p-20f, -4.0f + 0x1p-21f};
    mneme_reference_error e = measure_errors(3, found, exact);
    ck_assert_double_eq_tol(e.relative, sqrt(0x1p-40 + 0x1p-42) / 5.0, 1e-15);
    ck_assert_double_eq(e.ulp, 0x1p-20 / 4.0 * 0x1p23);
    e = measure_errors(1, found, exact);
    ck_assert(e.relative == 0.0 && e.ulp == 0.0);
}
END_TEST

START_TEST(zeros_and_nan) {
    const double zeros[] = {0.0, 0.0}, one[] = {1.0, 2.0};
    const float tiny[] = {0.0f, 0x1p-140f}, wrong[] = {1.0f, NAN}, nothing[] = {0.0f, -0.0f};
    mneme_reference_row row = {.ours = measure_errors(2, nothing, zeros)};
    ck_assert(measure_is_equivalent(&row));
    row.ours = measure_errors(2, tiny, zeros);
    ck_assert(!measure_is_equivalent(&row));
    row.ours = measure_errors(2, wrong, one);
    row.theirs = (mneme_reference_error){1e30, 1e30};
    ck_assert(!measure_is_equivalent(&row));
    /* A NaN stays, whatever comes after it. */
    row.ours = (mneme_reference_error){0};
    measure_keep_largest(&row.ours, measure_errors(2, wrong, one));
    measure_keep_largest(&row.ours, (mneme_reference_error){1.0, 1.0});
    ck_assert(!measure_is_equivalent(&row));
}
END_TEST

START_TEST(the_line) {
    mneme_reference_row row = {.theirs = {1e-6, 4.0}, .ours = {1.49e-6, 5.9}};
    ck_assert(measure_is_equivalent(&row));
    row.ours.relative = 1.51e-6;
    ck_assert(!measure_is_equivalent(&row));
    row.ours = (mneme_reference_error){1e-7, 6.1};
    ck_assert(!measure_is_equivalent(&row));
    /* Where PyTorch's happens to be exact, one rounding. */
    row = (mneme_reference_row){.ours = {1.4 * 0x1p-24, 0.7}};
    ck_assert(measure_is_equivalent(&row));
    row.ours.ulp = 0.8;
    ck_assert(!measure_is_equivalent(&row));
}
END_TEST

START_TEST(the_line_on_the_same_inputs) {
    mneme_reference_row row = {.here = {1e-6, 4.0}, .theirs = {2e-6, 8.0}, .ours = {1.49e-6, 5.9}};
    ck_assert(measure_is_within_here(&row));
    ck_assert(measure_here_is_within_ours(&row));
    row.ours.ulp = 6.1;
    ck_assert(!measure_is_within_here(&row));
    ck_assert(measure_is_equivalent(&row));
    row.ours.ulp = 2.6;
    ck_assert(!measure_here_is_within_ours(&row));
    /* Where PyTorch's happens to be exact, nothing is allowed. */
    row = (mneme_reference_row){.ours = {0x1p-25, 0.3}};
    ck_assert(!measure_is_within_here(&row));
    row.ours = (mneme_reference_error){0};
    ck_assert(measure_is_within_here(&row));
    row = (mneme_reference_row){.is_selection = true, .n = 9, .different = 1, .near_ties = 1};
    ck_assert(!measure_is_within_here(&row));
}
END_TEST

START_TEST(selections) {
    mneme_reference_row row = {.is_selection = true, .n = 9};
    ck_assert(measure_is_equivalent(&row));
    row.different = 2;
    row.near_ties = 1;
    ck_assert(!measure_is_equivalent(&row));
    row.near_ties = 2;
    ck_assert(measure_is_equivalent(&row));
}
END_TEST

Suite *measure_suite(void) {
    Suite *suite = suite_create("measure");
    TCase *tests = tcase_create("measure");
    tcase_add_test(tests, errors);
    tcase_add_test(tests, zeros_and_nan);
    tcase_add_test(tests, the_line);
    tcase_add_test(tests, the_line_on_the_same_inputs);
    tcase_add_test(tests, selections);
    suite_add_tcase(suite, tests);
    return suite;
}
