/* How the series of a plan are compared, from scores that are written by hand. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "compare/result.h"
#include "compare/result_digest.h"
#include "temporary.h"

#define PLAN                                                                                      \
    "{\"name\": \"x\", \"sweep\": {\"vary\": {\"seed\": [1, 2], \"model.memory.n_keys\": [64]}, " \
    "\"series\": [{\"name\": \"SMF\", \"method\": \"smf\", \"set\": {\"select\": \"kl\"}, "       \
    "\"grid\": {\"t\": [30, 60], \"steps_per_fact\": [1, 3], \"lr\": [0.5]}}, "                   \
    "{\"name\": \"full\", \"method\": \"full\", \"grid\": [{\"lr\": [3e-05]}, {\"lr\": "          \
    "[1e-04]}]}]}}"

static void diverge(struct result *result, size_t variant, size_t series, size_t cell) {
    struct scored_run *run = &result->outcomes[variant][series].cells[cell].run;
    *run = (struct scored_run){.scores = {.diverged = true}};
    divergence_set(&run->divergence, 3, "the loss is not finite");
}

static void set(struct result *result, size_t variant, size_t series, size_t cell, double new_f1,
                double known_f1) {
    struct scored_run *run = &result->outcomes[variant][series].cells[cell].run;
    *run = (struct scored_run){.scores = {.new_f1 = new_f1, .known_f1 = known_f1}};
    run->seconds = (double)(cell + 2);
}

START_TEST(comparison) {
    struct plan plan;
    struct result result;
    mneme_error error = {0};
    temporary_write("sweep.json", PLAN, strlen(PLAN));
    ck_assert(plan_load(PLAN_SWEEP, temporary_path("sweep.json"), NULL, 0, &plan, &error) ==
              MNEME_OK);
    ck_assert(result_open(&result, &plan, &error) == MNEME_OK);
    result.n_lessons = 10;
    for (size_t v = 0; v < 2; v++) result.base[v].scores.known_f1 = 1.0;
    /* SMF: the third cell is worse than the second in both; full: seed 2 learns more. */
    for (size_t v = 0; v < 2; v++) {
        set(&result, v, 0, 0, 0.2, 0.98);
        set(&result, v, 0, 1, 0.6, 0.9);
        set(&result, v, 0, 2, 0.5, 0.8);
        set(&result, v, 0, 3, 0.8, v == 0 ? 0.6 : 0.7);
    }
    set(&result, 0, 1, 0, 0.1, 0.9);
    set(&result, 0, 1, 1, 0.4, 0.5);
    set(&result, 1, 1, 0, 0.1, 0.8);
    set(&result, 1, 1, 1, 0.5, 0.5);
    size_t n;
    result_compare(&result);
    struct row *rows = result_rows(&result, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(rows[0].n_variants, 2);
    ck_assert(result.level == 0.4);
    ck_assert(result_on_front(&result, 0, 0, 1));
    ck_assert(!result_on_front(&result, 0, 0, 2));
    ck_assert_uint_eq(result.outcomes[0][0].best, 3);
    struct seed_range lost = row_lost_at(&result, &rows[0], 0.4);
    ck_assert_double_eq_tol(lost.mean, 6.0, 1e-9); /* half way between 2 % and 10 % */
    lost = row_lost_at(&result, &rows[1], 0.4);
    ck_assert_double_eq_tol(lost.least, 42.5, 1e-9); /* seed 2: three quarters from 20 to 50 % */
    ck_assert_double_eq_tol(lost.most, 50.0, 1e-9);
    ck_assert_double_eq_tol(lost.mean, 46.25, 1e-9);
    ck_assert_uint_eq(row_lost_at(&result, &rows[1], 0.45).n, 1);
    ck_assert_uint_eq(row_lost_at(&result, &rows[1], 0.6).n, 0);
    ck_assert_double_eq_tol(row_best_new(&result, &rows[1]).mean, 0.45, 1e-9);
    ck_assert_double_eq_tol(row_lost_at_best(&result, &rows[0]).mean, 35.0, 1e-9);
    ck_assert_double_eq_tol(row_seconds(&result, &rows[0]).mean, 0.2, 1e-9);
    /* The digest is of all that was found. */
    ck_assert(result_digest(&result, "", &error) == MNEME_OK);
    struct digest before = result.digest;
    result.outcomes[1][1].cells[1].run.scores.skill_nll = 1e-300;
    ck_assert(result_digest(&result, "", &error) == MNEME_OK);
    ck_assert_str_ne(before.hex, result.digest.hex);
    free(rows);
    result_close(&result);
    plan_free(&plan);
}
END_TEST

/* Cells that diverged are in no figure; a series of nothing else is left out of the level; and
 * where they diverged is part of the digest. */
START_TEST(diverged) {
    struct plan plan;
    struct result result;
    mneme_error error = {0};
    temporary_write("sweep.json", PLAN, strlen(PLAN));
    ck_assert(plan_load(PLAN_SWEEP, temporary_path("sweep.json"), NULL, 0, &plan, &error) ==
              MNEME_OK);
    ck_assert(result_open(&result, &plan, &error) == MNEME_OK);
    result.n_lessons = 10;
    for (size_t v = 0; v < 2; v++) {
        result.base[v].scores.known_f1 = 1.0;
        for (size_t c = 0; c < 4; c++) diverge(&result, v, 0, c);
        for (size_t c = 0; c < 2; c++) diverge(&result, v, 1, c);
    }
    size_t n;
    result_compare(&result);
    struct row *rows = result_rows(&result, &n);
    ck_assert_uint_eq(result.n_diverged, 12);
    ck_assert(result.level == 0.0);
    ck_assert(!result_has_points(&result, 0, 0));
    ck_assert_uint_eq(row_best_new(&result, &rows[0]).n, 0);
    ck_assert_uint_eq(row_lost_at(&result, &rows[0], 0.0).n, 0);
    ck_assert_uint_eq(row_seconds(&result, &rows[0]).n, 0);
    set(&result, 0, 0, 2, 0.6, 0.9);
    result_compare(&result);
    ck_assert(result.level == 0.6);
    ck_assert_uint_eq(result_chosen(&result, 0, 0), 2);
    ck_assert_uint_eq(row_best_new(&result, &rows[0]).n, 1);
    ck_assert_uint_eq(row_n_diverged(&result, &rows[0]), 7);
    ck_assert(!result_on_front(&result, 0, 0, 1));
    ck_assert(result_on_front(&result, 0, 0, 2));
    ck_assert(result_digest(&result, "", &error) == MNEME_OK);
    struct digest before = result.digest;
    result.outcomes[1][1].cells[1].run.divergence.step = 4;
    ck_assert(result_digest(&result, "", &error) == MNEME_OK);
    ck_assert_str_ne(before.hex, result.digest.hex);
    free(rows);
    result_close(&result);
    plan_free(&plan);
}
END_TEST

Suite *result_suite(void) {
    Suite *suite = suite_create("result");
    TCase *tests = tcase_create("comparison");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, comparison);
    tcase_add_test(tests, diverged);
    suite_add_tcase(suite, tests);
    return suite;
}
