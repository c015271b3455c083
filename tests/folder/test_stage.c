/* The parts of a run: their names, folders and order. */

#include <math.h>
#include <stdlib.h>

#include "assertions.h"
#include "folder/stage.h"
#include "recipe/recipe_load.h"
#include "run/replay.h"

START_TEST(names) {
    struct stage stage = stage_finetuning(&method_smf, 300.0f);
    ck_assert_str_eq(stage.name, "smf/lr-300");
    ck_assert_str_eq(stage_folder("runs/x", &stage).text, "runs/x/finetune/smf/lr-300");
    ck_assert_str_eq(stage_model_folder("runs/x", &stage).text, "runs/x/finetune/smf/lr-300");
    stage = stage_finetuning(&method_full, 3e-05f);
    ck_assert_str_eq(stage.name, "full/lr-3e-05");
    stage = stage_pretraining();
    ck_assert_str_eq(stage_folder("runs/x", &stage).text, "runs/x/pretrain");
    ck_assert_str_eq(stage_model_folder("runs/x", &stage).text, "runs/x/base");
}
END_TEST

/* Rates that agree in six digits do not share a folder. */
START_TEST(rates) {
    const float all[] = {1e-3f, nextafterf(1e-3f, 1.0f), 123456.7f, 123456.8f, 0x1p-149f};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct stage stage = stage_finetuning(&method_lora, all[i]);
        ck_assert(strtof(strstr(stage.name, "lr-") + 3, NULL) == all[i]);
    }
}
END_TEST

START_TEST(list) {
    static const char *const wanted[] = {"pretrain",     "full/lr-0.001", "full/lr-0.003",
                                         "lora/lr-0.01", "lora/lr-0.03",  "smf/lr-50",
                                         "smf/lr-200"};
    struct recipe recipe;
    struct stage found;
    mneme_error error = {0};
    size_t n;
    assert_ok(recipe_load("data/recipes/nano.json", NULL, 0, &recipe, &error), &error);
    struct stage *stages = stage_list(&recipe, &n);
    ck_assert_uint_eq(n, 7);
    for (size_t i = 0; i < n; i++) ck_assert_str_eq(stages[i].name, wanted[i]);
    assert_ok(replay_find_stage(&recipe, "smf/lr-200", &found, &error), &error);
    ck_assert_ptr_eq(found.method, &method_smf);
    ck_assert(found.lr == 200.0f);
    assert_refused(replay_find_stage(&recipe, "smf/lr-201", &found, &error), &error,
                   MNEME_BAD_INPUT, "`smf/lr-201`", "lora/lr-0.03, smf/lr-50, smf/lr-200");
    free(stages);
    recipe_free(&recipe);
}
END_TEST

Suite *stage_suite(void) {
    Suite *suite = suite_create("stage");
    TCase *tests = tcase_create("stages");
    tcase_add_test(tests, names);
    tcase_add_test(tests, rates);
    tcase_add_test(tests, list);
    suite_add_tcase(suite, tests);
    return suite;
}
