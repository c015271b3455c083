/* The finetunings that a recipe asks for: those of a run, and those of its `sweep`. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "compare/plan.h"
#include "temporary.h"
#include "tests/recipe/without_base.h"

#define PLAN                                                                                      \
    "{\"name\": \"x\", \"sweep\": {\"vary\": {\"seed\": [1, 2], \"model.memory.n_keys\": [64]}, " \
    "\"series\": [{\"name\": \"SMF\", \"method\": \"smf\", \"set\": {\"select\": \"kl\"}, "       \
    "\"grid\": {\"t\": [30, 60], \"steps_per_fact\": [1, 3], \"lr\": [0.5]}}, "                   \
    "{\"name\": \"full\", \"method\": \"full\", \"grid\": [{\"lr\": [3e-05]}, {\"lr\": "          \
    "[1e-04]}]}]}}"

static mneme_status load(const char *text, struct plan *plan, mneme_error *error) {
    temporary_write("sweep.json", text, strlen(text));
    return plan_load(PLAN_SWEEP, temporary_path("sweep.json"), NULL, 0, plan, error);
}

static bool has_override(const struct plan_choice *choice, const char *text) {
    for (size_t i = 0; i < choice->n_overrides; i++) {
        if (strcmp(choice->overrides[i], text) == 0) return true;
    }
    return false;
}

START_TEST(reading) {
    struct plan plan;
    mneme_error error = {0};
    ck_assert_msg(load(PLAN, &plan, &error) == MNEME_OK, "%s", error.message);
    ck_assert_uint_eq(plan.n_variants, 2);
    ck_assert_str_eq(plan.variants[1].folder, "seed-2_n_keys-64");
    ck_assert_str_eq(plan.variants[1].choice.label, "");
    ck_assert(has_override(&plan.variants[1].choice, "seed=2"));
    ck_assert(has_override(&plan.variants[1].choice, "model.memory.n_keys=64"));
    ck_assert_uint_eq(plan.n_series, 2);
    const struct plan_series *smf = &plan.series[0];
    ck_assert_ptr_eq(smf->method, &method_smf);
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
    plan_free(&plan);
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
        struct plan plan;
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
    struct plan plan;
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
        struct plan plan;
        struct path path = path_in("data/recipes", "%s", recipes.paths[i]);
        if (plan_load(PLAN_SWEEP, path.text, NULL, 0, &plan, &error) != MNEME_OK) {
            ck_assert_msg(strstr(error.message, "key `sweep`") != NULL, "%s", error.message);
            continue;
        }
        n_sweeps++;
        bool is_whole = true;
        for (size_t s = 0; s < plan.n_series && is_whole; s++) {
            for (size_t c = 0; c < plan.series[s].n_cells && is_whole; c++) {
                struct recipe_finetune settings;
                is_whole = plan_settings(&plan, 0, s, c, &settings, &error) == MNEME_OK;
            }
        }
        if (!is_whole && !is_without_base(recipes.paths[i], &error)) {
            ck_abort_msg("%s", error.message);
        }
        plan_free(&plan);
    }
    ck_assert_uint_ge(n_sweeps, 10);
    path_list_free(&recipes);
}
END_TEST

/* A run's cells: a series per method, a cell per learning rate, and nothing but that differs. */
START_TEST(of_a_run) {
    struct plan plan;
    struct recipe_finetune first, second;
    mneme_error error = {0};
    static const char *const overrides[] = {"finetune.full=null", "finetune.smf.lr=[50, 200]"};
    ck_assert_msg(
        plan_load(PLAN_RUN, "data/recipes/nano.json", overrides, 2, &plan, &error) == MNEME_OK,
        "%s", error.message);
    ck_assert_uint_eq(plan.n_variants, 1);
    ck_assert_uint_eq(plan.n_series, 2);
    ck_assert_ptr_eq(plan.series[0].method, &method_lora);
    ck_assert_ptr_eq(plan.series[1].method, &method_smf);
    ck_assert_uint_eq(plan.series[1].n_cells, 2);
    ck_assert(plan_settings(&plan, 0, 1, 0, &first, &error) == MNEME_OK);
    ck_assert(plan_settings(&plan, 0, 1, 1, &second, &error) == MNEME_OK);
    ck_assert(first.smf.rates.lr[0] == 50.0f && first.smf.rates.n_lr == 1);
    ck_assert(second.smf.rates.lr[0] == 200.0f && second.smf.rates.n_lr == 1);
    ck_assert(!first.lora.rates.enabled && !first.full.rates.enabled);
    ck_assert_uint_eq(first.smf.t, 20);
    plan_free(&plan);
}
END_TEST

Suite *plan_suite(void) {
    Suite *suite = suite_create("plan");
    TCase *tests = tcase_create("plans");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, reading);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, recipes_of_the_project);
    tcase_add_test(tests, of_a_run);
    suite_add_tcase(suite, tests);
    return suite;
}
