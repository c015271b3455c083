/* What a recipe's `sweep` asks for, and how its series are compared. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "compare/sweep_plan.h"
#include "compare/sweep_result.h"
#include "temporary.h"

#define PLAN                                                                                      \
    "{\"name\": \"x\", \"sweep\": {\"vary\": {\"seed\": [1, 2], \"model.memory.n_keys\": [64]}, " \
    "\"series\": [{\"name\": \"SMF\", \"method\": \"smf\", \"set\": {\"select\": \"kl\"}, "       \
    "\"grid\": {\"t\": [30, 60], \"steps_per_fact\": [1, 3], \"lr\": [0.5]}}, "                   \
    "{\"name\": \"full\", \"method\": \"full\", \"grid\": [{\"lr\": [3e-05]}, {\"lr\": "          \
    "[1e-04]}]}]}}"

static mneme_status load(const char *text, struct sweep_plan *plan, mneme_error *error) {
    temporary_write("sweep.json", text, strlen(text));
    return sweep_plan_load(temporary_path("sweep.json"), NULL, 0, plan, error);
}

static bool has_override(const struct sweep_choice *choice, const char *text) {
    for (size_t i = 0; i < choice->n_overrides; i++) {
        if (strcmp(choice->overrides[i], text) == 0) return true;
    }
    return false;
}

START_TEST(reading) {
    struct sweep_plan plan;
    mneme_error error = {0};
    ck_assert_msg(load(PLAN, &plan, &error) == MNEME_OK, "%s", error.message);
    ck_assert_uint_eq(plan.n_variants, 2);
    ck_assert_str_eq(plan.variants[1].folder, "seed-2_n_keys-64");
    ck_assert_str_eq(plan.variants[1].choice.label, "");
    ck_assert(has_override(&plan.variants[1].choice, "seed=2"));
    ck_assert(has_override(&plan.variants[1].choice, "model.memory.n_keys=64"));
    ck_assert_uint_eq(plan.n_series, 2);
    const struct sweep_series *smf = &plan.series[0];
    ck_assert_int_eq(smf->method, METHOD_SMF);
    ck_assert_uint_eq(smf->n_cells, 4);
    ck_assert_str_eq(smf->cells[1].label, "t 30, steps_per_fact 3, lr 0.5");
    ck_assert(has_override(&smf->cells[1], "finetune.smf.select=\"kl\""));
    ck_assert(has_override(&smf->cells[1], "finetune.smf.t=30"));
    ck_assert(has_override(&smf->cells[1], "finetune.smf.lr=[0.5]"));
    ck_assert(has_override(&smf->cells[1], "finetune.steps_per_fact=3"));
    ck_assert(has_override(&smf->cells[1], "finetune.full=null"));
    ck_assert(has_override(&smf->cells[1], "finetune.lora=null"));
    ck_assert(!has_override(&smf->cells[1], "finetune.smf=null"));
    ck_assert_uint_eq(plan.series[1].n_cells, 2);
    ck_assert_str_eq(plan.series[1].cells[0].label, "lr 3e-05");
    ck_assert_uint_eq(plan.n_levels, 3);
    sweep_plan_free(&plan);
}
END_TEST

#define SERIES "\"series\": [{\"name\": \"a\", \"method\": \"full\", \"grid\": {\"lr\": [1]}}]"

START_TEST(refused) {
    static const char *const cases[][2] = {
        {"{\"name\": \"x\"}", "sweep"},
        {"{\"name\": \"x\", \"sweep\": 3}", "sweep"},
        {"{\"name\": \"x\", \"sweep\": {}}", "sweep.series"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": []}}", "sweep.series"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [3]}}", "object"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\"}]}}",
         "sweep.series[0].method"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\", \"method\": \"best\"}]}}",
         "sweep.series[0].method"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a|b\", \"method\": \"smf\"}]}}",
         "sweep.series[0].name"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\", \"method\": \"full\", "
         "\"grid\": {\"lr\": []}}]}}",
         "sweep.series[0].grid.lr"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\", \"method\": \"full\", "
         "\"grid\": {\"lr\": 1}}]}}",
         "sweep.series[0].grid.lr"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\", \"method\": \"full\", "
         "\"colour\": 1}]}}",
         "colour"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\", \"method\": \"full\", "
         "\"grid\": []}]}}",
         "sweep.series[0].grid"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\", \"method\": \"full\", "
         "\"grid\": [{\"lr\": 3}]}]}}",
         "sweep.series[0].grid[0].lr"},
        {"{\"name\": \"x\", \"sweep\": {\"vary\": {\"seed\": 1}, " SERIES "}}", "sweep.vary.seed"},
        {"{\"name\": \"x\", \"sweep\": {\"levels\": [2], " SERIES "}}", "sweep.levels"},
        {"{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\", \"method\": \"full\"}, "
         "{\"name\": \"a\", \"method\": \"smf\"}]}}",
         "called `a`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sweep_plan plan;
        mneme_error error = {0};
        ck_assert_msg(load(cases[i][0], &plan, &error) == MNEME_BAD_INPUT, "%s", cases[i][0]);
        ck_assert_msg(strstr(error.message, cases[i][1]) != NULL, "%s: %s", cases[i][0],
                      error.message);
        ck_assert_ptr_nonnull(strstr(error.message, "sweep.json"));
    }
    /* 1,024 combinations */
    char text[1024] =
        "{\"name\": \"x\", \"sweep\": {\"series\": [{\"name\": \"a\", \"method\": "
        "\"full\", \"grid\": {";
    for (int key = 0; key < 5; key++) {
        char more[64];
        snprintf(more, sizeof more, "%s\"%c\": [1, 2, 3, 4]", key == 0 ? "" : ", ", 'a' + key);
        strcat(text, more);
    }
    strcat(text, "}}]}}");
    struct sweep_plan plan;
    mneme_error error = {0};
    ck_assert(load(text, &plan, &error) == MNEME_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(error.message, "combinations"));
}
END_TEST

/* Every cell of every sweep that comes with mneme is a recipe. */
START_TEST(recipes_of_the_project) {
    struct path_list recipes = {0};
    mneme_error error = {0};
    size_t n_sweeps = 0;
    ck_assert(directory_list("data/recipes", ".json", &recipes, &error) == MNEME_OK);
    for (size_t i = 0; i < recipes.n; i++) {
        struct sweep_plan plan;
        char *path = path_join("data/recipes", recipes.paths[i]);
        if (sweep_plan_load(path, NULL, 0, &plan, &error) != MNEME_OK) {
            ck_assert_msg(strstr(error.message, "key `sweep`") != NULL, "%s", error.message);
            free(path);
            continue;
        }
        n_sweeps++;
        for (size_t s = 0; s < plan.n_series; s++) {
            for (size_t c = 0; c < plan.series[s].n_cells; c++) {
                const struct sweep_choice *cell = &plan.series[s].cells[c];
                struct recipe recipe;
                ck_assert_msg(recipe_load(path, (const char *const *)cell->overrides,
                                          cell->n_overrides, &recipe, &error) == MNEME_OK,
                              "%s", error.message);
                recipe_free(&recipe);
            }
        }
        sweep_plan_free(&plan);
        free(path);
    }
    ck_assert_uint_ge(n_sweeps, 10);
    path_list_free(&recipes);
}
END_TEST

static void set(struct sweep_result *result, size_t variant, size_t series, size_t cell,
                double new_f1, double known_f1) {
    struct scored_run *run = &result->cells[variant][series][cell].run;
    run->scores = (struct scores){.new_f1 = new_f1, .known_f1 = known_f1};
    run->seconds = (double)(cell + 2);
}

START_TEST(comparison) {
    struct sweep_plan plan;
    struct sweep_result result;
    mneme_error error = {0};
    ck_assert(load(PLAN, &plan, &error) == MNEME_OK);
    ck_assert(sweep_result_open(&result, &plan, &error) == MNEME_OK);
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
    struct sweep_row *rows = sweep_rows(&result, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(rows[0].n_variants, 2);
    ck_assert(sweep_common_level(&result) == 0.4);
    ck_assert(sweep_on_front(&result, 0, 0, 1));
    ck_assert(!sweep_on_front(&result, 0, 0, 2));
    ck_assert_uint_eq(sweep_best_cell(&result, 0, 0), 3);
    struct seed_range lost = sweep_lost_at(&result, &rows[0], 0.4);
    ck_assert_double_eq_tol(lost.mean, 6.0, 1e-9); /* half way between 2 % and 10 % */
    lost = sweep_lost_at(&result, &rows[1], 0.4);
    ck_assert_double_eq_tol(lost.least, 42.5, 1e-9); /* seed 2: three quarters from 20 to 50 % */
    ck_assert_double_eq_tol(lost.most, 50.0, 1e-9);
    ck_assert_double_eq_tol(lost.mean, 46.25, 1e-9);
    ck_assert_uint_eq(sweep_lost_at(&result, &rows[1], 0.45).n, 1);
    ck_assert_uint_eq(sweep_lost_at(&result, &rows[1], 0.6).n, 0);
    ck_assert_double_eq_tol(sweep_best_new(&result, &rows[1]).mean, 0.45, 1e-9);
    ck_assert_double_eq_tol(sweep_lost_at_best(&result, &rows[0]).mean, 35.0, 1e-9);
    ck_assert_double_eq_tol(sweep_seconds(&result, &rows[0]).mean, 0.2, 1e-9);
    /* The digest is of all that was found. */
    ck_assert(sweep_result_digest(&result, &error) == MNEME_OK);
    struct digest before = result.digest;
    result.cells[1][1][1].run.scores.skill_nll = 1e-300;
    ck_assert(sweep_result_digest(&result, &error) == MNEME_OK);
    ck_assert_str_ne(before.hex, result.digest.hex);
    free(rows);
    sweep_result_close(&result);
    sweep_plan_free(&plan);
}
END_TEST

Suite *sweep_suite(void) {
    Suite *suite = suite_create("sweep");
    TCase *tests = tcase_create("sweeps");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, reading);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, recipes_of_the_project);
    tcase_add_test(tests, comparison);
    suite_add_tcase(suite, tests);
    return suite;
}
