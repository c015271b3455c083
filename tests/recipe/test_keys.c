/* Every key of keys.def: read, refused, written, and documented. */

#include <stdlib.h>

#include "base/file.h"
#include "recipe/recipe_keys_text.h"
#include "recipe/recipe_load.h"
#include "tests/recipe/any_value.h"

#define EACH_KEY(key)                                                                             \
    for (const struct key *key = recipe_keys.keys; key < recipe_keys.keys + recipe_keys.n; key++) \
        if (key_has_value(key))

/* The recipe with one value changed is refused, and the message has both. Takes the value. */
static void check_value_refused(const struct key *key, json_t *value, const char *cause) {
    struct recipe recipe;
    mneme_error error = {0};
    json_t *object = recipe_with(key);
    char place[160], *text = json_dumps(value, JSON_ENCODE_ANY);
    snprintf(place, sizeof place, "r.json: key `%s`", key->path);
    ck_assert_int_eq(json_put(object, key->path, value), 0);
    mneme_status status = recipe_from_json(object, "r.json", &recipe, &error);
    ck_assert_msg(status == MNEME_BAD_INPUT, "%s = %s is accepted", key->path, text);
    ck_assert_msg(strstr(error.message, place) != NULL, "%s = %s: %s", key->path, text,
                  error.message);
    ck_assert_msg(strstr(error.message, cause) != NULL, "%s = %s: no '%s' in: %s", key->path, text,
                  cause, error.message);
    free(text);
    json_decref(object);
}

START_TEST(out_of_range) {
    size_t n = 0;
    EACH_KEY(key) {
        if (!is_number(key)) continue;
        double above = key->high + (key->high < 1e15 ? 1.0 : 4096.0);
        if (key->type == KEY_FLOAT || key->type == KEY_FLOATS) above = key->high * 1.001;
        check_value_refused(key, as_value(key, above), "from");
        check_value_refused(key, as_value(key, key->low - 1.0), "from");
        if (key->type == KEY_FLOAT && key->low > 0.0) {
            check_value_refused(key, as_value(key, key->low * 0.999), "from");
        }
        n++;
    }
    ck_assert_uint_gt(n, 50);
}
END_TEST

START_TEST(of_a_wrong_type) {
    EACH_KEY(key) {
        const char *cause = is_text(key)            ? "must be a string"
                            : key->type == KEY_BOOL ? "must be true or false"
                            : is_list(key)          ? "must be a list"
                                                    : "must be ";
        check_value_refused(key, json_null(), cause);
        check_value_refused(key, json_object(), cause);
        if (!is_text(key)) check_value_refused(key, json_string("nothing"), cause);
        if (is_text(key)) check_value_refused(key, json_integer(3), cause);
        if (key->type == KEY_SIZE) check_value_refused(key, json_real(2.5), cause);
        if (key->type == KEY_BOOL) check_value_refused(key, json_integer(1), cause);
        if (!is_list(key)) continue;
        check_value_refused(key, json_array(), "empty list");
        check_value_refused(key, json_pack("[s]", "1"), "must be a list of");
        check_value_refused(key, json_pack("[i, i]", 1, 1), "must ascend");
    }
}
END_TEST

/* A value other than the recipe's own is read, written, and read from what was written. */
static void check_round_trip(const struct key *key) {
    struct recipe recipe;
    mneme_error error = {0};
    json_t *object = recipe_with(key), *value;
    json_t *now = json_deep_copy(json_find(object, key->path));
    mneme_status status = MNEME_BAD_INPUT;
    for (int i = 0; status != MNEME_OK && (value = other_value(key, now, i)) != NULL; i++) {
        ck_assert_int_eq(json_put(object, key->path, value), 0);
        status = recipe_from_json(object, "r.json", &recipe, &error);
    }
    ck_assert_msg(status == MNEME_OK, "%s: %s", key->path, error.message);
    json_t *written = recipe_to_json(&recipe);
    recipe_free(&recipe);
    const json_t *back = json_find(written, key->path);
    bool is_terse = (key->flags & KEY_TERSE) != 0 && back == NULL;
    char *expected = json_dumps(json_find(object, key->path), JSON_ENCODE_ANY);
    char *found = back == NULL ? NULL : json_dumps(back, JSON_ENCODE_ANY);
    bool same = is_number(key) && !is_list(key)
                    ? (float)json_number_value(back) ==
                          (float)json_number_value(json_find(object, key->path))
                    : json_equal(back, json_find(object, key->path));
    ck_assert_msg(is_terse || same, "%s: %s was written as %s", key->path, expected,
                  found == NULL ? "nothing" : found);
    assert_ok(recipe_from_json(written, "w.json", &recipe, &error), &error);
    json_t *again = recipe_to_json(&recipe);
    recipe_free(&recipe);
    ck_assert_msg(json_equal(written, again), "%s: what was written reads differently", key->path);
    free(expected);
    free(found);
    json_decref(now);
    json_decref(again);
    json_decref(written);
    json_decref(object);
}

/* A base is a folder with a model: tests/scripts/base.sh. */
START_TEST(written_and_read_back) {
    EACH_KEY(key) if (strcmp(key->path, "base") != 0) check_round_trip(key);
}
END_TEST

START_TEST(missing) {
    size_t n = 0;
    EACH_KEY(key) {
        struct recipe recipe;
        mneme_error error = {0};
        char place[160];
        json_t *object = recipe_with(key);
        json_remove(object, key->path);
        mneme_status status = recipe_from_json(object, "r.json", &recipe, &error);
        json_decref(object);
        if (strcmp(key->path, "pretrain.steps") == 0) {
            assert_refused(status, &error, MNEME_BAD_INPUT, "`pretrain.steps`", "without a `base`");
            continue;
        }
        if (status == MNEME_OK) {
            ck_assert_msg(!key_is_required(key), "%s is not missed", key->path);
            ck_assert_msg((key->flags & IS_INPUT) != 0 || key_is_default(key, &recipe),
                          "%s without a value is not its default", key->path);
            recipe_free(&recipe);
            continue;
        }
        snprintf(place, sizeof place, "key `%s`: missing", key->path);
        if ((key->flags & IS_INPUT) != 0) snprintf(place, sizeof place, "key `corpus.");
        ck_assert_msg(key_is_required(key) || (key->flags & IS_INPUT) != 0, "%s: %s", key->path,
                      error.message);
        ck_assert_msg(strstr(error.message, place) != NULL, "%s: %s", key->path, error.message);
        n++;
    }
    ck_assert_uint_ge(n, 15);
}
END_TEST

/* With its last letter doubled a key is unknown, and itself is suggested. */
START_TEST(misspelt) {
    EACH_KEY(key) {
        struct recipe recipe;
        mneme_error error = {0};
        char wrong[128], expected[320];
        json_t *object = recipe_with(key);
        snprintf(wrong, sizeof wrong, "%s%c", key->path, key->path[strlen(key->path) - 1]);
        ck_assert_int_eq(json_put(object, wrong, json_integer(1)), 0);
        ck_assert_int_eq(recipe_from_json(object, "r.json", &recipe, &error), MNEME_BAD_INPUT);
        snprintf(expected, sizeof expected, "r.json: key `%s`: unknown; did you mean `%s`?", wrong,
                 key->path);
        ck_assert_str_eq(error.message, expected);
        json_decref(object);
    }
}
END_TEST

/* Paths are different, and lead to a row each. */
START_TEST(found_by_path) {
    EACH_KEY(key) ck_assert_ptr_eq(key_find(&recipe_keys, key->path), key);
    ck_assert_ptr_null(key_find(&recipe_keys, "finetune.smf.tt"));
}
END_TEST

START_TEST(table_of_the_documentation) {
    char *document, *table = recipe_keys_markdown();
    size_t length;
    mneme_error error = {0};
    assert_ok(file_read("docs/recipes.md", JSON_MAX_BYTES, &document, &length, &error), &error);
    char *at = strstr(document, "| key | type |");
    ck_assert_ptr_nonnull(at);
    for (char *line = strtok(table, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        size_t n = strlen(line);
        ck_assert_msg(strncmp(at, line, n) == 0 && at[n] == '\n',
                      "docs/recipes.md has not the line of `mneme run --keys`:\n%s\nbut\n%.*s",
                      line, (int)strcspn(at, "\n"), at);
        at += n + 1;
    }
    ck_assert_msg(*at == '\n', "docs/recipes.md has a line too many: %.*s", (int)strcspn(at, "\n"),
                  at);
    free(table);
    free(document);
}
END_TEST

START_TEST(as_json) {
    char *text = recipe_keys_json();
    json_t *list = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(list);
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *path = json_string_value(json_object_get(row, "key"));
        const struct key *key = key_find(&recipe_keys, path);
        ck_assert_msg(key != NULL, "%s is no key", path);
        ck_assert_ptr_nonnull(json_string_value(json_object_get(row, "type")));
        ck_assert_str_eq(
            json_string_value(json_object_get(row, "documentation")) == NULL ? "none" : "", "");
        ck_assert_msg(json_is_true(json_object_get(row, "required")) == key_is_required(key), "%s",
                      path);
        n += key_has_value(key);
    }
    EACH_KEY(key) n--;
    ck_assert_uint_eq(n, 0);
    json_decref(list);
    free(text);
}
END_TEST

Suite *keys_suite(void) {
    Suite *suite = suite_create("keys");
    TCase *tests = tcase_create("keys");
    tcase_add_test(tests, out_of_range);
    tcase_add_test(tests, of_a_wrong_type);
    tcase_add_test(tests, written_and_read_back);
    tcase_add_test(tests, missing);
    tcase_add_test(tests, misspelt);
    tcase_add_test(tests, found_by_path);
    tcase_add_test(tests, table_of_the_documentation);
    tcase_add_test(tests, as_json);
    suite_add_tcase(suite, tests);
    return suite;
}
