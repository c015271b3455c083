/* Tokenizers that the Python package wrote, with the ids that it gave (tests/tokenizers). */

#include <jansson.h>

#include "base/file.h"
#include "data/tokenizer.h"
#include "tests/temporary.h"

static json_t *read_json(const char *kind, const char *suffix) {
    char path[128];
    snprintf(path, sizeof path, "tests/tokenizers/%s%s", kind, suffix);
    json_t *root = json_load_file(path, 0, NULL);
    ck_assert_msg(root != NULL, "%s", path);
    return root;
}

static struct tokenizer *load(const char *kind) {
    char path[128];
    snprintf(path, sizeof path, "tests/tokenizers/%s.json", kind);
    struct tokenizer *tokenizer;
    mneme_error error = {0};
    assert_ok(tokenizer_load(path, &tokenizer, &error), &error);
    return tokenizer;
}

static void check_ids(struct tokenizer *tokenizer, const char *kind, const json_t *pair) {
    const json_t *text = json_array_get(pair, 0), *ids = json_array_get(pair, 1);
    struct token_list list = {0};
    mneme_error error = {0};
    assert_ok(tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text), &list,
                               &error),
              &error);
    bool same = list.n == json_array_size(ids);
    for (size_t i = 0; same && i < list.n; i++) {
        same = json_integer_value(json_array_get(ids, i)) == list.ids[i];
    }
    ck_assert_msg(same, "%s: other ids for: %s", kind, json_string_value(text));
    char *decoded;
    size_t length;
    assert_ok(tokenizer_decode(tokenizer, list.ids, list.n, &decoded, &length, &error), &error);
    ck_assert_uint_eq(length, json_string_length(text));
    ck_assert_mem_eq(decoded, json_string_value(text), length);
    free(decoded);
    token_list_free(&list);
}

START_TEST(ids_are_the_packages) {
    static const char *const kinds[] = {"gpt2", "llama3", "smollm", "deepseek"};
    const char *kind = kinds[_i];
    struct tokenizer *tokenizer = load(kind);
    json_t *expected = read_json(kind, ".ids.json"), *pair;
    size_t i;
    ck_assert_uint_gt(json_array_size(json_object_get(expected, "texts")), 60);
    json_array_foreach(json_object_get(expected, "texts"), i, pair) {
        check_ids(tokenizer, kind, pair);
    }
    json_decref(expected);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(texts_start_and_end_as_the_model_knows_it) {
    struct tokenizer *tokenizer = load("llama3");
    ck_assert_int_eq(tokenizer_start_of_text(tokenizer), 0);
    ck_assert_int_eq(tokenizer_end_of_text(tokenizer), 1);
    tokenizer_free(tokenizer);
    tokenizer = load("gpt2");
    ck_assert_int_eq(tokenizer_start_of_text(tokenizer), 0);
    ck_assert_int_eq(tokenizer_end_of_text(tokenizer), 0);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(a_loaded_file_is_saved_as_it_was) {
    struct tokenizer *tokenizer = load("smollm");
    mneme_error error = {0};
    char *before, *after;
    size_t length, saved;
    assert_ok(tokenizer_save(tokenizer, temporary_path("t.json"), &error), &error);
    tokenizer_free(tokenizer);
    assert_ok(file_read("tests/tokenizers/smollm.json", 1 << 20, &before, &length, &error), &error);
    assert_ok(file_read(temporary_path("t.json"), 1 << 20, &after, &saved, &error), &error);
    ck_assert_uint_eq(saved, length);
    ck_assert_mem_eq(before, after, length);
    free(before);
    free(after);
}
END_TEST

/* Loads the kind's file after a change; it must be refused for this cause. Takes the JSON. */
static void check_changed_refused(json_t *root, const char *cause) {
    ck_assert_int_eq(json_dump_file(root, temporary_path("t.json"), 0), 0);
    json_decref(root);
    struct tokenizer *tokenizer = NULL;
    mneme_error error;
    assert_refused(tokenizer_load(temporary_path("t.json"), &tokenizer, &error), &error,
                   MNEME_BAD_INPUT, "t.json: ", cause);
    ck_assert_ptr_null(tokenizer);
}

static json_t *part_of(json_t *root, size_t number) {
    json_t *pre = json_object_get(root, "pre_tokenizer");
    return json_array_get(json_object_get(pre, "pretokenizers"), number);
}

START_TEST(other_splitting_is_refused) {
    static const char *const patterns[][2] = {{"\\p{N}{1,3}+", "{}+"},
                                              {"^a", "^ or $"},
                                              {"a$", "^ or $"},
                                              {"[a&&b]", "&& in a class"},
                                              {"[a[bc]]", "a class in a class"},
                                              {"\\h", "\\h"},
                                              {"(?m:a)", "(?m)"},
                                              {"a*", "empty string"},
                                              {"(", "at byte"}};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        json_t *root = read_json("llama3", ".json");
        json_object_set_new(part_of(root, 0), "pattern",
                            json_pack("{s:s}", "Regex", patterns[i][0]));
        check_changed_refused(root, patterns[i][1]);
    }
    json_t *root = read_json("llama3", ".json");
    json_object_set_new(part_of(root, 0), "behavior", json_string("MergedWithNext"));
    check_changed_refused(root, "pre_tokenizer: expected");
    root = read_json("llama3", ".json");
    json_object_set_new(part_of(root, 1), "add_prefix_space", json_true());
    check_changed_refused(root, "pre_tokenizer: expected");
    root = read_json("llama3", ".json");
    json_object_set_new(part_of(root, 0), "type", json_string("Metaspace"));
    check_changed_refused(root, "pre_tokenizer: expected");
    root = read_json("smollm", ".json");
    json_t *parts = json_object_get(json_object_get(root, "pre_tokenizer"), "pretokenizers");
    for (int i = 0; i < 10; i++) json_array_insert(parts, 0, json_array_get(parts, 0));
    check_changed_refused(root, "pre_tokenizer: expected");
}
END_TEST

static void set_added(json_t *root, size_t number, const char *key, json_t *value) {
    json_t *token = json_array_get(json_object_get(root, "added_tokens"), number);
    json_object_set_new(token, key, value);
}

START_TEST(lying_added_tokens_are_refused) {
    json_t *root = read_json("smollm", ".json");
    set_added(root, 3, "rstrip", json_true());
    check_changed_refused(root, "added_tokens[3]: single_word, lstrip and rstrip");
    root = read_json("smollm", ".json");
    set_added(root, 3, "content", json_string(""));
    check_changed_refused(root, "added_tokens[3]: no content");
    root = read_json("smollm", ".json");
    set_added(root, 3, "id", json_integer(1LL << 40));
    check_changed_refused(root, "is not one of 0 to");
    root = read_json("smollm", ".json");
    set_added(root, 4, "id", json_integer(7));
    check_changed_refused(root, "share an id");
    root = read_json("smollm", ".json");
    set_added(root, 1, "id", json_integer(7));
    check_changed_refused(root, "added_tokens[1]: it and model.vocab");
    root = read_json("gpt2", ".json");
    json_array_append(json_object_get(root, "added_tokens"),
                      json_array_get(json_object_get(root, "added_tokens"), 0));
    check_changed_refused(root, "added_tokens[1]: repeats");
    root = read_json("gpt2", ".json");
    json_array_append_new(json_object_get(root, "added_tokens"),
                          json_pack("{s:s, s:i}", "content", "<|fim|>", "id", 425));
    check_changed_refused(root, "added_tokens[1]: its id is 425, but other programs give it 420");
}
END_TEST

Suite *tokenizer_others_suite(void) {
    Suite *suite = suite_create("tokenizer_others");
    TCase *cases = tcase_create("tokenizer_others");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_loop_test(cases, ids_are_the_packages, 0, 4);
    tcase_add_test(cases, texts_start_and_end_as_the_model_knows_it);
    tcase_add_test(cases, a_loaded_file_is_saved_as_it_was);
    tcase_add_test(cases, other_splitting_is_refused);
    tcase_add_test(cases, lying_added_tokens_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
