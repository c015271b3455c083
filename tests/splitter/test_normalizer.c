#include "splitter/normalizer.h"

#include "base/json_read.h"
#include "tests/temporary.h"

static void check_normal(const struct normalizer *normalizer, const json_t *text,
                         const json_t *expected, size_t number) {
    char *normal;
    size_t length;
    mneme_error error;
    const char *bytes = json_string_value(text);
    if (normalizer == NULL) return;
    assert_ok(normalizer_run(normalizer, bytes, json_string_length(text), &normal, &length, &error),
              &error);
    ck_assert_msg(length == json_string_length(expected) &&
                      memcmp(normal, json_string_value(expected), length) == 0,
                  "case %zu: \"%s\" becomes \"%s\", not \"%s\"", number, bytes, normal,
                  json_string_value(expected));
    free(normal);
}

/* normalizer_cases.json holds what the Python package makes of random texts. */
START_TEST(texts_become_what_the_package_makes_of_them) {
    json_t *root;
    mneme_error error;
    assert_ok(json_read_file("tests/splitter/normalizer_cases.json", JSON_MAX_BYTES, &root, &error),
              &error);
    const json_t *texts = json_object_get(root, "texts"), *cases = json_object_get(root, "cases");
    ck_assert_uint_gt(json_array_size(cases), 10);
    for (size_t c = 0; c < json_array_size(cases); c++) {
        const json_t *one = json_array_get(cases, c), *normal = json_object_get(one, "normal");
        struct normalizer *normalizer;
        assert_ok(normalizer_open(json_object_get(one, "normalizer"), "t", &normalizer, &error),
                  &error);
        ck_assert_uint_eq(json_array_size(normal), json_array_size(texts));
        for (size_t i = 0; i < json_array_size(texts); i++) {
            check_normal(normalizer, json_array_get(texts, i), json_array_get(normal, i), c);
        }
        normalizer_close(normalizer);
    }
    json_decref(root);
}
END_TEST

static struct normalizer *open_text(const char *text) {
    json_error_t cause;
    struct normalizer *normalizer;
    mneme_error error;
    json_t *value = json_parse(text, strlen(text), 0, &cause);
    ck_assert_ptr_nonnull(value);
    assert_ok(normalizer_open(value, "t", &normalizer, &error), &error);
    json_decref(value);
    return normalizer;
}

static void check_bytes(const char *normalizer_text, const char *text, const char *expected) {
    struct normalizer *normalizer = open_text(normalizer_text);
    char *normal;
    size_t length;
    mneme_error error;
    assert_ok(normalizer_run(normalizer, text, strlen(text), &normal, &length, &error), &error);
    ck_assert_str_eq(normal, expected);
    free(normal);
    normalizer_close(normalizer);
}

START_TEST(bytes_that_are_no_text_stay) {
    check_bytes("{\"type\":\"NFC\"}",
                "\xff"
                "e\xcc\x81\xc3",
                "\xff"
                "\xc3\xa9\xc3");
    check_bytes("{\"type\":\"Lowercase\"}", "\xffQ\xc3", "\xffq\xc3");
    check_bytes("{\"type\":\"Strip\"}", " \xff \xc3 ", "\xff \xc3");
    check_bytes("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"Q+\"},\"content\":\"-\"}",
                "\xffQQ\xc3Q", "\xff-\xc3-");
}
END_TEST

/* What Unicode 15 brought, which the package does not know and a library may: U+1E030, a modifier
 * letter, and U+10EFD, a mark. */
START_TEST(young_characters_stay) {
    check_bytes("{\"type\":\"NFKC\"}", "\xf0\x9e\x80\xb0\xef\xac\x81",
                "\xf0\x9e\x80\xb0"
                "fi");
    check_bytes("{\"type\":\"NFD\"}", "a\xcd\x85\xf0\x90\xbb\xbd\xcc\xb4",
                "a\xcd\x85\xf0\x90\xbb\xbd\xcc\xb4");
    check_bytes("{\"type\":\"NFC\"}", "\xe4\xb8\xad\xe6\x96\x87 e\xcc\x81",
                "\xe4\xb8\xad\xe6\x96\x87 \xc3\xa9");
}
END_TEST

START_TEST(a_normalizer_that_does_nothing_is_none) {
    struct normalizer *normalizer;
    mneme_error error;
    assert_ok(normalizer_open(NULL, "t", &normalizer, &error), &error);
    ck_assert_ptr_null(normalizer);
    ck_assert_ptr_null(open_text("{\"type\":\"Sequence\",\"normalizers\":[]}"));
    ck_assert_ptr_null(open_text(
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Sequence\",\"normalizers\":[]}]}"));
}
END_TEST

static void check_refused(const char *text, const char *cause) {
    json_error_t ignored;
    struct normalizer *normalizer;
    mneme_error error;
    json_t *value = json_parse(text, strlen(text), JSON_DECODE_ANY, &ignored);
    assert_refused(normalizer_open(value, "t.json", &normalizer, &error), &error, MNEME_BAD_INPUT,
                   "t.json: normalizer", cause);
    json_decref(value);
}

START_TEST(refuses_what_it_does_not_have) {
    check_refused("{\"type\":\"Precompiled\"}", "Precompiled: not supported");
    check_refused("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFX\"}]}", "NFX");
    check_refused("{\"type\":\"Sequence\"}", "no `normalizers`");
    check_refused("{\"type\":\"Prepend\"}", "a text is missing");
    check_refused("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}",
                  "no regular expression");
    check_refused("{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"\"}", "empty");
    check_refused("3", "no `type`");
}
END_TEST

Suite *normalizer_suite(void);
Suite *normalizer_suite(void) {
    Suite *suite = suite_create("normalizer");
    TCase *tests = tcase_create("normalizer");
    tcase_add_test(tests, texts_become_what_the_package_makes_of_them);
    tcase_add_test(tests, bytes_that_are_no_text_stay);
    tcase_add_test(tests, young_characters_stay);
    tcase_add_test(tests, a_normalizer_that_does_nothing_is_none);
    tcase_add_test(tests, refuses_what_it_does_not_have);
    suite_add_tcase(suite, tests);
    return suite;
}
