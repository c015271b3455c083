#include "base/json_write.h"

#include <float.h>
#include <locale.h>
#include <math.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/random.h"
#include "tests/temporary.h"

START_TEST(floats_read_back_exactly) {
    const float special[] = {0.0f, -0.0f, 1e-5f, 0.1f, FLT_MIN, FLT_MAX, 1e-45f, 16777216.0f};
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t bits = random_draw(1, 1, i);
        float value;
        memcpy(&value, &bits, sizeof value);
        if (i < sizeof special / sizeof *special) value = special[i];
        if (!isfinite(value)) continue;
        json_t *number = json_float(value);
        ck_assert_ptr_nonnull(number);
        float back = (float)json_real_value(number);
        ck_assert_mem_eq(&back, &value, sizeof value);
        json_decref(number);
    }
}
END_TEST

static void check_written(json_t *value, const char *expected) {
    mneme_error error;
    char *text;
    size_t length;
    const char *path = temporary_path("a.json");
    assert_ok(json_write_file(path, value, &error), &error);
    assert_ok(file_read(path, 1 << 20, &text, &length, &error), &error);
    ck_assert_str_eq(text, expected);
    free(text);
    json_t *read;
    assert_ok(json_read_file(path, 1 << 20, &read, &error), &error);
    ck_assert(json_equal(read, value));
    json_decref(read);
    json_decref(value);
}

START_TEST(numbers_are_short_where_nothing_is_lost) {
    check_written(json_pack("{s:o, s:i}", "b", json_float(0.1f), "a", 1),
                  "{\n  \"b\": 0.1,\n  \"a\": 1\n}\n");
    check_written(json_pack("{s:f}", "b", (double)0.1f), "{\n  \"b\": 0.10000000149011612\n}\n");
}
END_TEST

/* A comma for a decimal point, and one of two bytes. */
static const char *const locales[] = {"de_DE.UTF-8", "fa_IR.UTF-8"};

START_TEST(no_locale_shows) {
    if (setlocale(LC_ALL, locales[_i]) == NULL) {
        printf("skip: json_write: no locale %s is installed\n", locales[_i]);
        return;
    }
    json_t *numbers = json_pack("{s:o, s:o}", "a", json_float(0.1f), "b", json_float(1e-5f));
    check_written(numbers, "{\n  \"a\": 0.1,\n  \"b\": 1e-5\n}\n");
    setlocale(LC_ALL, "C");
}
END_TEST

Suite *json_write_suite(void) {
    Suite *suite = suite_create("json_write");
    TCase *cases = tcase_create("json_write");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, floats_read_back_exactly);
    tcase_add_test(cases, numbers_are_short_where_nothing_is_lost);
    tcase_add_loop_test(cases, no_locale_shows, 0, 2);
    suite_add_tcase(suite, cases);
    return suite;
}
