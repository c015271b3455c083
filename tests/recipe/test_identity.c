/* What makes a run folder another run's, and a sweep's cell another cell. */

#include "recipe/identity.h"

#include "base/json_write.h"
#include "base/path.h"
#include "recipe/recipe_load.h"
#include "tests/recipe/any_value.h"
#include "tests/temporary.h"

static struct recipe open_recipe(json_t *object) {
    struct recipe recipe;
    mneme_error error = {0};
    assert_ok(recipe_from_json(object, RECIPE, &recipe, &error), &error);
    return recipe;
}

/* The identity of the recipe in the test's folder. */
static mneme_status check(json_t *object, enum identity_scope scope, mneme_error *error) {
    struct recipe recipe = open_recipe(object);
    mneme_status status = identity_check(&recipe, temporary_folder, scope, true, error);
    recipe_free(&recipe);
    return status;
}

static void forget(void) {
    unlink(temporary_path("recipe.json"));
}

/* A folder that was written before there was the key is that of a recipe which leaves it out. */
static void check_default_is_nothing(const struct key *key) {
    json_t *object = recipe_with(key), *written;
    mneme_error error = {0};
    json_remove(object, key->path);
    forget();
    assert_ok(check(object, IDENTITY_RUN, &error), &error);
    assert_ok(json_read_file(temporary_path("recipe.json"), JSON_MAX_BYTES, &written, &error),
              &error);
    json_remove(written, key->path);
    assert_ok(json_write_file(temporary_path("recipe.json"), written, &error), &error);
    mneme_status status = check(object, IDENTITY_RUN, &error);
    ck_assert_msg(status == MNEME_OK, "%s at its default: %s", key->path, error.message);
    json_decref(written);
    json_decref(object);
}

/* Puts another value into the object, with which it is a recipe. */
static void change(const struct key *key, json_t *object) {
    struct recipe recipe;
    mneme_error error = {0};
    json_t *now = json_deep_copy(json_find(object, key->path)), *value;
    for (int i = 0; (value = other_value(key, now, i)) != NULL; i++) {
        json_put(object, key->path, value);
        if (recipe_from_json(object, RECIPE, &recipe, &error) != MNEME_OK) continue;
        bool is_other = !key_is_default(key, &recipe) || now != NULL;
        recipe_free(&recipe);
        if (is_other && !json_equal(now, json_find(object, key->path))) break;
    }
    ck_assert_msg(value != NULL, "%s: no other value fits: %s", key->path, error.message);
    json_decref(now);
}

static void check_change_is_noticed(const struct key *key) {
    json_t *object = recipe_with(key);
    mneme_error error = {0};
    forget();
    assert_ok(check(object, IDENTITY_RUN, &error), &error);
    change(key, object);
    mneme_status status = check(object, IDENTITY_RUN, &error);
    if ((key->flags & CHANGES_NO_BIT) != 0) {
        ck_assert_msg(status == MNEME_OK, "%s: changes no bit, but is another run", key->path);
        json_decref(object);
        return;
    }
    ck_assert_msg(status == MNEME_BAD_INPUT, "%s has changed, the folder is taken all the same",
                  key->path);
    ck_assert_msg(strstr(error.message, "holds another run") != NULL, "%s: %s", key->path,
                  error.message);
    bool is_of_base = strncmp(key->path, "finetune.", 9) != 0 && strcmp(key->path, "name") != 0;
    status = check(object, IDENTITY_BASE, &error);
    ck_assert_msg(status == (is_of_base ? MNEME_BAD_INPUT : MNEME_OK), "%s: %d", key->path,
                  (int)status);
    json_decref(object);
}

START_TEST(a_default_does_not_make_another_run) {
    size_t n = 0;
    for (const struct key *key = recipe_keys.keys; key < recipe_keys.keys + recipe_keys.n; key++) {
        if (!key_has_value(key) || key_is_required(key) || (key->flags & IS_INPUT) != 0) continue;
        if (strcmp(key->path, "pretrain.steps") == 0) continue; /* needed without a base */
        check_default_is_nothing(key);
        n++;
    }
    ck_assert_uint_ge(n, 50);
}
END_TEST

/* nano has no base; tests/scripts/new_questions.sh changes what needs one. */
static bool needs_base(const struct key *key) {
    return strcmp(key->path, "corpus.new_unknown") == 0;
}

START_TEST(a_number_makes_another_run) {
    for (const struct key *key = recipe_keys.keys; key < recipe_keys.keys + recipe_keys.n; key++) {
        if (!key_has_value(key) || (key->flags & IS_INPUT) != 0 || needs_base(key)) continue;
        check_change_is_noticed(key);
    }
}
END_TEST

/* Copies a file of the project into the test's folder, with more bytes. */
static const char *copy(const char *name, const char *more) {
    char *bytes;
    size_t length;
    mneme_error error = {0};
    assert_ok(file_read("data/worlds/people.json", JSON_MAX_BYTES, &bytes, &length, &error),
              &error);
    char *whole = malloc(length + strlen(more));
    memcpy(whole, bytes, length);
    memcpy(whole + length, more, strlen(more));
    temporary_write(name, whole, length + strlen(more));
    free(whole);
    free(bytes);
    return temporary_path(name);
}

START_TEST(an_input_is_what_it_holds) {
    for (const struct key *key = recipe_keys.keys; key < recipe_keys.keys + recipe_keys.n; key++) {
        /* A base is a folder with a model: tests/scripts/base.sh. */
        if ((key->flags & IS_INPUT) == 0 || strcmp(key->path, "base") == 0) continue;
        struct recipe recipe;
        mneme_error error = {0};
        char inside[64];
        json_t *object = recipe_with(key);
        forget();
        json_put(object, key->path, json_string(copy("a", "")));
        assert_ok(check(object, IDENTITY_RUN, &error), &error);
        json_put(object, key->path, json_string(copy("b", "")));
        assert_ok(check(object, IDENTITY_RUN, &error), &error);
        assert_ok(identity_recipe(temporary_folder, NULL, 0, &recipe, &error), &error);
        json_t *found = recipe_to_json(&recipe);
        ck_assert_str_eq(strrchr(json_string_value(json_find(found, key->path)), '/'), "/b");
        json_decref(found);
        recipe_free(&recipe);
        json_put(object, key->path, json_string(copy("c", "\n")));
        snprintf(inside, sizeof inside, "`input_sha256.%s` is ", key_name(key));
        assert_refused(check(object, IDENTITY_RUN, &error), &error, MNEME_BAD_INPUT, "recipe.json",
                       inside);
        json_decref(object);
    }
}
END_TEST

static const struct key *text_key(void) {
    return key_find(&recipe_keys, "corpus.text");
}

/* Sets corpus.text to a folder and a file. */
static void put_text(json_t *object, const char *first, const char *second) {
    json_put(object, "corpus.text",
             json_pack("[s, s]", temporary_path(first), temporary_path(second)));
}

/* Several sources are a list, in their order; of a folder count its texts and their order. */
START_TEST(text_is_what_its_files_hold) {
    struct recipe recipe;
    mneme_error error = {0};
    json_t *object = recipe_with(text_key());
    forget();
    assert_ok(directory_make(temporary_path("texts/more"), &error), &error);
    temporary_write("texts/b.txt", "b", 1);
    temporary_write("texts/more/a.jsonl", "{\"text\": \"a\"}", 13);
    temporary_write("single", "c", 1);
    put_text(object, "texts", "single");
    assert_ok(check(object, IDENTITY_RUN, &error), &error);
    temporary_write("texts/.hidden.txt", "x", 1);
    temporary_write("texts/picture.png", "x", 1);
    ck_assert_int_eq(rename(temporary_path("texts/b.txt"), temporary_path("texts/c.TXT")), 0);
    assert_ok(check(object, IDENTITY_RUN, &error), &error);
    assert_ok(identity_recipe(temporary_folder, NULL, 0, &recipe, &error), &error);
    ck_assert_uint_eq(recipe.corpus.text.n, 2);
    ck_assert_str_eq(strrchr(recipe.corpus.text.texts[0], '/'), "/texts");
    ck_assert_str_eq(strrchr(recipe.corpus.text.texts[1], '/'), "/single");
    recipe_free(&recipe);
    put_text(object, "single", "texts");
    assert_refused(check(object, IDENTITY_RUN, &error), &error, MNEME_BAD_INPUT, "recipe.json",
                   "`input_sha256.text` is ");
    put_text(object, "texts", "single");
    temporary_write("texts/d.txt", "", 0);
    assert_refused(check(object, IDENTITY_RUN, &error), &error, MNEME_BAD_INPUT, "recipe.json",
                   "`input_sha256.text` is ");
    json_decref(object);
}
END_TEST

START_TEST(a_cell_is_its_finetuning) {
    for (const struct key *key = recipe_keys.keys; key < recipe_keys.keys + recipe_keys.n; key++) {
        if (!key_has_value(key) || (key->flags & IS_INPUT) != 0 || needs_base(key)) continue;
        json_t *object = recipe_with(key);
        struct recipe recipe = open_recipe(object);
        json_t *before = identity_of_cell(&recipe);
        recipe_free(&recipe);
        change(key, object);
        recipe = open_recipe(object);
        json_t *after = identity_of_cell(&recipe);
        recipe_free(&recipe);
        bool decides =
            (strncmp(key->path, "finetune.", 9) == 0 && (key->flags & CHANGES_NO_NUMBER) == 0) ||
            strcmp(key->path, "matmul") == 0;
        /* The last layer that gets adapters is the model's by default. */
        bool follows = strcmp(key->path, "model.n_layers") == 0;
        ck_assert_msg(json_equal(before, after) == !(decides || follows), "%s %s the cell",
                      key->path, decides ? "should change" : "changes");
        json_decref(before);
        json_decref(after);
        json_decref(object);
    }
}
END_TEST

/* Other engines know the cells by these names. */
START_TEST(a_cell_has_what_it_always_had) {
    json_t *object = recipe_with(&recipe_keys.keys[0]);
    struct recipe recipe = open_recipe(object);
    json_t *cell = identity_of_cell(&recipe);
    ck_assert_uint_eq(json_object_size(cell), 1);
    ck_assert_ptr_null(json_find(cell, "finetune.evaluate_every"));
    ck_assert_ptr_null(json_find(cell, "finetune.stream_questions"));
    ck_assert_ptr_nonnull(json_find(cell, "finetune.digest_every"));
    json_decref(cell);
    json_decref(object);
    recipe_free(&recipe);
}
END_TEST

Suite *identity_suite(void) {
    Suite *suite = suite_create("identity");
    TCase *tests = tcase_create("identity");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, a_default_does_not_make_another_run);
    tcase_add_test(tests, a_number_makes_another_run);
    tcase_add_test(tests, an_input_is_what_it_holds);
    tcase_add_test(tests, text_is_what_its_files_hold);
    tcase_add_test(tests, a_cell_is_its_finetuning);
    tcase_add_test(tests, a_cell_has_what_it_always_had);
    suite_add_tcase(suite, tests);
    return suite;
}
