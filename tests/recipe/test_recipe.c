/* Recipes: what is read, filled in and written back, and what is refused, naming the key. */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/path.h"
#include "recipe/recipe_load.h"
#include "temporary.h"
#include "tests/recipe/without_base.h"

#define RECIPE "data/recipes/nano.json"

static mneme_status load(const char *override, mneme_error *error) {
    struct recipe recipe;
    mneme_status status = recipe_load(RECIPE, &override, override == NULL ? 0 : 1, &recipe, error);
    if (status == MNEME_OK) recipe_free(&recipe);
    return status;
}

START_TEST(defaults_and_values) {
    struct recipe recipe;
    mneme_error error = {0};
    const char *const overrides[] = {"pretrain.lr=0.25", "finetune.smf.lr=[1, 2.5]",
                                     "finetune.lora=null", "name=other"};
    assert_ok(recipe_load(RECIPE, overrides, 4, &recipe, &error), &error);
    ck_assert_str_eq(recipe.name, "other");
    ck_assert(recipe.pretrain.lr == 0.25f);
    ck_assert(recipe.pretrain.beta2 == 0.95f);
    ck_assert_uint_eq(recipe.model.memory.v_dim, recipe.model.dim);
    ck_assert(!recipe.finetune.lora.rates.enabled);
    ck_assert_uint_eq(recipe.finetune.smf.rates.n_lr, 2);
    ck_assert(recipe.finetune.smf.rates.lr[1] == 2.5f);
    ck_assert(file_exists(recipe.corpus.world));
    recipe_free(&recipe);
}
END_TEST

/* A recipe written with its defaults is the same recipe. */
START_TEST(written_back) {
    struct recipe recipe, again;
    mneme_error error = {0};
    assert_ok(recipe_load(RECIPE, NULL, 0, &recipe, &error), &error);
    json_t *object = recipe_to_json(&recipe);
    char *text = json_dumps(object, JSON_PRESERVE_ORDER);
    temporary_write("recipe.json", text, strlen(text));
    assert_ok(recipe_load(temporary_path("recipe.json"), NULL, 0, &again, &error), &error);
    json_t *object_again = recipe_to_json(&again);
    ck_assert(json_equal(object, object_again));
    json_decref(object);
    json_decref(object_again);
    free(text);
    recipe_free(&recipe);
    recipe_free(&again);
}
END_TEST

START_TEST(refused) {
    static const char *const cases[][2] = {
        {"pretrain.stepz=3", "pretrain.stepz"},
        {"pretrain.steps=0", "pretrain.steps"},
        {"pretrain.steps=\"many\"", "pretrain.steps"},
        {"pretrain.steps=1e400", "pretrain.steps"},
        {"pretrain.lr=-1", "pretrain.lr"},
        {"pretrain.lr=NaN", "pretrain.lr"},
        {"pretrain.lr=1e39", "pretrain.lr"},
        {"pretrain.schedule=square", "pretrain.schedule"},
        {"pretrain=5", "pretrain"},
        {"pretrain.a.b.c=1", "pretrain.a"},
        {"model.dim=33", "model.n_heads`: 2 does not divide dim, 33"},
        {"model.n_kv_heads=3", "`model.n_kv_heads`"},
        {"model.memory.layers=[3]", "`model.memory.layers`"},
        {"model.memory.layers=[1, 1]", "`model.memory.layers`"},
        {"model.memory.knn=17", "`model.memory.knn`"},
        {"model.memory.k_dim=15", "`model.memory.k_dim`"},
        {"model.memory=null", "finetune.smf"},
        {"finetune.smf.lr=[]", "finetune.smf.lr"},
        {"finetune.smf.lr=[2, 1]", "finetune.smf.lr"},
        {"finetune.smf.lr=[0]", "finetune.smf.lr"},
        {"finetune.full.lr=null", "finetune.full.lr"},
        {"finetune.full.memory_only=1", "finetune.full.memory_only"},
        {"finetune.smf.select=best", "finetune.smf.select"},
        {"finetune.smf.optimizer=adam", "finetune.smf.optimizer"},
        {"finetune.smf.background=none", "finetune.smf.background"},
        {"finetune.smf.keys_lr=-1", "finetune.smf.keys_lr"},
        {"corpus.facts_per_chunk=0", "corpus.facts_per_chunk"},
        {"finetune.lora.last_layer=7", "finetune.lora.last_layer"},
        {"finetune=null", "finetune"},
        {"corpus.known=a.jsonl", "corpus.world"},
        {"corpus.world=null", "corpus.world"},
        {"tokenizer.vocab_size=100", "tokenizer.vocab_size"},
        {"name=null", "name"},
        {"name=it's", "name"},
        {"name=\"\"", "name"},
        {"nonsense", "key=value"},
        {"=3", "key=value"},
        {"pretrain.=3", "pretrain."},
        {"seed=-1", "seed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mneme_error error = {0};
        ck_assert_msg(load(cases[i][0], &error) == MNEME_BAD_INPUT, "%s is accepted", cases[i][0]);
        ck_assert_msg(strstr(error.message, cases[i][1]) != NULL, "%s: %s", cases[i][0],
                      error.message);
    }
}
END_TEST

START_TEST(broken_files) {
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "{\"name\": \"x\", \"name\": 1}",
                                        "{\"name\": \"\xff\"}",
                                        "{\"name\": \"x\"} {"};
    struct recipe recipe;
    mneme_error error = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        temporary_write("broken.json", texts[i], strlen(texts[i]));
        const char *path = temporary_path("broken.json");
        ck_assert(recipe_load(path, NULL, 0, &recipe, &error) == MNEME_BAD_INPUT);
        ck_assert_ptr_nonnull(strstr(error.message, "broken.json"));
    }
    char *deep = malloc(100001);
    memset(deep, '[', 100000);
    temporary_write("broken.json", deep, 100000);
    free(deep);
    ck_assert(recipe_load(temporary_path("broken.json"), NULL, 0, &recipe, &error) ==
              MNEME_BAD_INPUT);
    ck_assert(recipe_load("no/such.json", NULL, 0, &recipe, &error) == MNEME_BAD_INPUT);
    ck_assert(recipe_load("data", NULL, 0, &recipe, &error) == MNEME_BAD_INPUT);
}
END_TEST

static void write_recipe(const char *name, const char *text) {
    temporary_write(name, text, strlen(text));
}

/* A recipe over nano, over that recipe: nearer keys win, null takes away. */
START_TEST(extends) {
    struct recipe recipe;
    mneme_error error = {0};
    char base[512], cwd[256];
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
    snprintf(base, sizeof base,
             "{\"extends\": \"%s/data/recipes/nano.json\", \"seed\": 5, \"finetune\": {\"lora\": "
             "null, \"smf\": {\"t\": 3, \"select\": \"kl\"}}}",
             cwd);
    write_recipe("middle.json", base);
    write_recipe("top.json",
                 "{\"extends\": \"middle.json\", \"name\": \"top\", \"finetune\": {\"smf\": "
                 "{\"t\": 4, \"optimizer\": \"adamw\"}}, \"sweep\": {}}");
    assert_ok(recipe_load(temporary_path("top.json"), NULL, 0, &recipe, &error), &error);
    ck_assert_str_eq(recipe.name, "top");
    ck_assert_uint_eq(recipe.seed, 5);
    ck_assert_uint_eq(recipe.pretrain.steps, 240);
    ck_assert(!recipe.finetune.lora.rates.enabled);
    ck_assert_uint_eq(recipe.finetune.smf.rates.n_lr, 2);
    ck_assert_uint_eq(recipe.finetune.smf.t, 4);
    ck_assert_int_eq(recipe.finetune.smf.select, SLOTS_KL);
    ck_assert_int_eq(recipe.finetune.smf.optimizer, SPARSE_ADAMW);
    recipe_free(&recipe);
    write_recipe("self.json", "{\"extends\": \"self.json\"}");
    ck_assert(recipe_load(temporary_path("self.json"), NULL, 0, &recipe, &error) ==
              MNEME_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(error.message, "extends"));
    write_recipe("self.json", "{\"extends\": 3}");
    ck_assert(recipe_load(temporary_path("self.json"), NULL, 0, &recipe, &error) ==
              MNEME_BAD_INPUT);
    write_recipe("self.json", "{\"extends\": \"none.json\"}");
    ck_assert(recipe_load(temporary_path("self.json"), NULL, 0, &recipe, &error) ==
              MNEME_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(error.message, "none.json"));
}
END_TEST

/* Every key of a recipe stands in docs/recipes.md. */
static void check_documented(const json_t *object, const char *prefix, const char *document) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        char name[128];
        snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", key);
        if (json_is_object(value)) {
            check_documented(value, name, document);
            continue;
        }
        char quoted[160];
        snprintf(quoted, sizeof quoted, "`%s`", name);
        ck_assert_msg(strstr(document, quoted) != NULL, "%s is not in docs/recipes.md", name);
    }
}

START_TEST(documented) {
    char *document;
    size_t length;
    mneme_error error = {0};
    assert_ok(file_read("docs/recipes.md", 1 << 20, &document, &length, &error), &error);
    struct path_list recipes = {0};
    assert_ok(directory_list("data/recipes", ".json", &recipes, &error), &error);
    ck_assert_uint_ge(recipes.n, 10);
    for (size_t i = 0; i < recipes.n; i++) {
        struct recipe recipe;
        struct path path = path_in("data/recipes", "%s", recipes.paths[i]);
        mneme_status status = recipe_load(path.text, NULL, 0, &recipe, &error);
        if (status != MNEME_OK && is_without_base(recipes.paths[i], &error)) continue;
        assert_ok(status, &error);
        json_t *object = recipe_to_json(&recipe);
        check_documented(object, "", document);
        json_decref(object);
        recipe_free(&recipe);
    }
    path_list_free(&recipes);
    free(document);
}
END_TEST

/* A file is looked up from the recipe that names it, wherever the one that extends it is. */
START_TEST(extends_a_recipe_that_names_a_file) {
    struct recipe recipe;
    mneme_error error = {0};
    char text[1024], cwd[256];
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
    assert_ok(directory_make(temporary_path("base"), &error), &error);
    assert_ok(directory_make(temporary_path("mine"), &error), &error);
    snprintf(text, sizeof text,
             "{\"extends\": \"%s/data/recipes/nano.json\", \"corpus\": {\"world\": "
             "\"own-world.json\"}}",
             cwd);
    write_recipe("base/base.json", text);
    write_recipe("base/own-world.json", "{}");
    write_recipe("mine/mine.json", "{\"extends\": \"../base/base.json\"}");
    assert_ok(recipe_load(temporary_path("mine/mine.json"), NULL, 0, &recipe, &error), &error);
    ck_assert_msg(file_exists(recipe.corpus.world), "%s", recipe.corpus.world);
    ck_assert_ptr_nonnull(strstr(recipe.corpus.world, "base/own-world.json"));
    recipe_free(&recipe);
}
END_TEST

/* What a first user meets one after the other is told at once, with what the recipe says. */
START_TEST(all_complaints_at_once) {
    static const char *const overrides[] = {"finetune.smf.lr=50", "model.memory.knn=64",
                                            "pretrain.stepz=3", "pretrain.warmup=-1", "seed=\"x\""};
    static const char *const told[] = {"`finetune.smf.lr`: must be a list, such as [1], is 50",
                                       "`model.memory.knn`: 64 is more than n_keys, 16",
                                       "`pretrain.stepz`: unknown",
                                       "`pretrain.warmup`: must be an integer",
                                       "is -1",
                                       "`seed`: must be an integer",
                                       "is \"x\""};
    struct recipe recipe;
    mneme_error error = {0};
    ck_assert_int_eq(recipe_load(RECIPE, overrides, 5, &recipe, &error), MNEME_BAD_INPUT);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        ck_assert_msg(strstr(error.message, told[i]) != NULL, "no %s in %s", told[i],
                      error.message);
    }
    ck_assert_ptr_null(strchr(error.message, '\n'));
}
END_TEST

Suite *recipe_suite(void) {
    Suite *suite = suite_create("recipe");
    TCase *tests = tcase_create("recipes");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, defaults_and_values);
    tcase_add_test(tests, written_back);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, broken_files);
    tcase_add_test(tests, extends);
    tcase_add_test(tests, extends_a_recipe_that_names_a_file);
    tcase_add_test(tests, all_complaints_at_once);
    tcase_add_test(tests, documented);
    suite_add_tcase(suite, tests);
    return suite;
}
