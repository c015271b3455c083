#include "base/json_read.h"

#include <float.h>

#include "tests/temporary.h"

static json_t *root_object;
static struct json_place root;

static void set_up(void) {
    temporary_make();
    root_object = json_loads(
        "{\"size\": 7, \"negative\": -1, \"real\": 2.5, \"big\": 1e300, \"text\": \"word\","
        " \"yes\": true, \"nothing\": null, \"sizes\": [1, 2, 3], \"floats\": [0.5, 2],"
        " \"mixed\": [1, \"2\"], \"inner\": {\"deep\": {\"size\": 70000}}}",
        0, NULL);
    mneme_error error;
    assert_ok(json_place_root(root_object, "file.json", &root, &error), &error);
}

static void tear_down(void) {
    json_decref(root_object);
    temporary_remove();
}

/* Compares the whole message, which is what users see. */
static void check_message(mneme_status status, const mneme_error *error, const char *message) {
    ck_assert_int_eq((int)status, MNEME_BAD_INPUT);
    size_t length = strlen(message); /* what the file says may follow */
    ck_assert_msg(strncmp(error->message, message, length) == 0, "%s", error->message);
    const char *rest = error->message + length;
    ck_assert_msg(*rest == '\0' || strncmp(rest, ", is ", 5) == 0 ||
                      strncmp(rest, ", such as", 9) == 0 || *rest == ':',
                  "%s", rest);
}

START_TEST(typed_values) {
    size_t size = 0, sizes[3], count = 0;
    float number = 0, floats[4];
    bool truth = false;
    char *text = NULL;
    mneme_error error;
    assert_ok(json_get_size(&root, "size", KEY_REQUIRED, 7, 7, &size, &error), &error);
    ck_assert_uint_eq(size, 7);
    assert_ok(json_get_float(&root, "real", KEY_REQUIRED, 0, 3, &number, &error), &error);
    ck_assert_float_eq(number, 2.5f);
    assert_ok(json_get_float(&root, "size", KEY_REQUIRED, 0, 9, &number, &error), &error);
    ck_assert_float_eq(number, 7.0f);
    assert_ok(json_get_bool(&root, "yes", KEY_REQUIRED, &truth, &error), &error);
    ck_assert(truth);
    assert_ok(json_get_string(&root, "text", KEY_REQUIRED, &text, &error), &error);
    assert_ok(json_get_string(&root, "text", KEY_REQUIRED, &text, &error), &error);
    ck_assert_str_eq(text, "word");
    free(text);
    assert_ok(json_get_sizes(&root, "sizes", KEY_REQUIRED, 1, 3, sizes, 3, &count, &error), &error);
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(sizes[2], 3);
    assert_ok(json_get_floats(&root, "floats", KEY_REQUIRED, 0, 3, floats, 4, &count, &error),
              &error);
    ck_assert_uint_eq(count, 2);
    ck_assert_float_eq(floats[0], 0.5f);
    ck_assert_float_eq(floats[1], 2.0f);
    const char *const names[] = {"other", "word"};
    assert_ok(json_get_choice(&root, "text", KEY_REQUIRED, names, 2, &size, &error), &error);
    ck_assert_uint_eq(size, 1);
}
END_TEST

START_TEST(missing_keys) {
    size_t size = 5;
    float number = 5;
    struct json_place inner;
    mneme_error error;
    assert_ok(json_get_size(&root, "none", KEY_OPTIONAL, 0, 9, &size, &error), &error);
    ck_assert_uint_eq(size, 5);
    assert_ok(json_get_object(&root, "none", KEY_OPTIONAL, &inner, &error), &error);
    ck_assert_ptr_null(inner.object);
    assert_ok(json_get_float(&inner, "a", KEY_OPTIONAL, 0, 9, &number, &error), &error);
    assert_ok(json_check_keys(&inner, NULL, 0, &error), &error);
    check_message(json_get_size(&root, "none", KEY_REQUIRED, 0, 9, &size, &error), &error,
                  "file.json: key `none`: missing");
    check_message(json_get_size(&inner, "size", KEY_REQUIRED, 0, 9, &size, &error), &error,
                  "file.json: key `none.size`: missing");
}
END_TEST

START_TEST(wrong_values) {
    size_t size, sizes[3], count;
    float number;
    bool truth;
    char *text = NULL;
    struct json_place inner;
    mneme_error error;
    const char *const names[] = {"a", "b", "c"};
    check_message(json_get_size(&root, "size", KEY_OPTIONAL, 1, 6, &size, &error), &error,
                  "file.json: key `size`: must be an integer from 1 to 6");
    check_message(json_get_size(&root, "size", KEY_OPTIONAL, 8, 9, &size, &error), &error,
                  "file.json: key `size`: must be an integer from 8 to 9");
    check_message(json_get_size(&root, "negative", KEY_OPTIONAL, 0, SIZE_MAX, &size, &error),
                  &error, "file.json: key `negative`: must be an integer of at least 0");
    check_message(json_get_size(&root, "nothing", KEY_OPTIONAL, 0, 9, &size, &error), &error,
                  "file.json: key `nothing`: must be an integer from 0 to 9");
    check_message(json_get_size(&root, "real", KEY_OPTIONAL, 0, 9, &size, &error), &error,
                  "file.json: key `real`: must be an integer from 0 to 9");
    check_message(json_get_float(&root, "real", KEY_OPTIONAL, 0, 0.25f, &number, &error), &error,
                  "file.json: key `real`: must be a number from 0 to 0.25");
    check_message(json_get_float(&root, "big", KEY_OPTIONAL, 0, FLT_MAX, &number, &error), &error,
                  "file.json: key `big`: must be a number of at least 0");
    check_message(json_get_bool(&root, "size", KEY_OPTIONAL, &truth, &error), &error,
                  "file.json: key `size`: must be true or false");
    check_message(json_get_string(&root, "size", KEY_OPTIONAL, &text, &error), &error,
                  "file.json: key `size`: must be a string");
    check_message(json_get_choice(&root, "text", KEY_OPTIONAL, names, 3, &size, &error), &error,
                  "file.json: key `text`: must be \"a\", \"b\" or \"c\"");
    check_message(json_get_sizes(&root, "sizes", KEY_OPTIONAL, 0, 2, sizes, 3, &count, &error),
                  &error, "file.json: key `sizes`: must be a list of integers from 0 to 2");
    check_message(json_get_sizes(&root, "sizes", KEY_OPTIONAL, 0, 9, sizes, 2, &count, &error),
                  &error, "file.json: key `sizes`: has 3 elements, must have at most 2");
    check_message(json_get_sizes(&root, "mixed", KEY_OPTIONAL, 0, 9, sizes, 2, &count, &error),
                  &error, "file.json: key `mixed`: must be a list of integers from 0 to 9");
    check_message(json_get_sizes(&root, "size", KEY_OPTIONAL, 0, 9, sizes, 2, &count, &error),
                  &error, "file.json: key `size`: must be a list");
    check_message(json_get_object(&root, "size", KEY_OPTIONAL, &inner, &error), &error,
                  "file.json: key `size`: must be an object");
    ck_assert_int_eq(json_get_object(&root, "inner", KEY_REQUIRED, &inner, &error), 0);
    ck_assert_int_eq(json_get_object(&inner, "deep", KEY_REQUIRED, &inner, &error), 0);
    check_message(json_get_size(&inner, "size", KEY_REQUIRED, 1, 65536, &size, &error), &error,
                  "file.json: key `inner.deep.size`: must be an integer from 1 to 65536");
}
END_TEST

START_TEST(unknown_keys) {
    static const char *const known[] = {"steps", "learning_rate", "lr"};
    static const struct {
        const char *json, *message;
    } examples[] = {
        {"{\"steps\": 1, \"lr\": 2}", NULL},
        {"{\"step\": 1}", "f: key `step`: unknown; did you mean `steps`?"},
        {"{\"lerning_rat\": 1}", "f: key `lerning_rat`: unknown; did you mean `learning_rate`?"},
        {"{\"width\": 1}", "f: key `width`: unknown"},
        {"{\"\": 1}", "f: key ``: unknown"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct json_place place;
        mneme_error error = {.message = ""};
        json_t *object = json_loads(examples[i].json, 0, NULL);
        assert_ok(json_place_root(object, "f", &place, &error), &error);
        mneme_status status = json_check_keys(&place, known, 3, &error);
        ck_assert_int_eq(status, examples[i].message == NULL ? MNEME_OK : MNEME_BAD_INPUT);
        if (examples[i].message != NULL) ck_assert_str_eq(error.message, examples[i].message);
        json_decref(object);
    }
}
END_TEST

START_TEST(files_that_are_no_json) {
    static const struct {
        const char *text, *place, *cause;
    } examples[] = {
        {"{\n\"a\": 1,\n\"a\": 2}", "/a:3:", "duplicate"},
        {"{\n\"a\": }", "/a:2:", "unexpected token"},
        {"{\"a\": 1", "/a:1:", "expected near end of file"},
        {"", "/a:1:", "end of file"},
        {"[1]", "/a:", "must be an object"},
        {"7", "/a:1:", "expected"},
        {"{\"a\": \"\xff\"}", "/a:1:", "0xff"},
        {"{\"a\": 123456789012345678901234567890}", "/a:1:", "too big integer"},
        {"{\"a\": 1e999}", "/a:1:", "real number overflow"},
        {"{} {}", "/a:1:", "end of file expected"},
    };
    json_t *read;
    mneme_error error;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        temporary_write("a", examples[i].text, strlen(examples[i].text));
        assert_refused(json_read_file(temporary_path("a"), 999, &read, &error), &error,
                       MNEME_BAD_INPUT, examples[i].place, examples[i].cause);
        ck_assert_ptr_null(read);
    }
    static char deep[100000];
    memset(deep, '[', sizeof deep);
    temporary_write("a", deep, sizeof deep);
    assert_refused(json_read_file(temporary_path("a"), sizeof deep, &read, &error), &error,
                   MNEME_BAD_INPUT, "/a:1:", "depth");
    assert_refused(json_read_file(temporary_path("a"), 999, &read, &error), &error, MNEME_BAD_INPUT,
                   "/a", "larger than 999 bytes");
}
END_TEST

Suite *json_read_suite(void) {
    Suite *suite = suite_create("json_read");
    TCase *cases = tcase_create("json_read");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, typed_values);
    tcase_add_test(cases, missing_keys);
    tcase_add_test(cases, wrong_values);
    tcase_add_test(cases, unknown_keys);
    tcase_add_test(cases, files_that_are_no_json);
    suite_add_tcase(suite, cases);
    return suite;
}
