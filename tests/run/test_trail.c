/* Trails are continued where they were cut, and read back exactly. */

#include "temporary.h"

#include <math.h>

#include "base/file.h"
#include "run/trail.h"

Suite *trail_suite(void);

static struct trail_line line_of(size_t step) {
    struct trail_line line = {.step = step,
                              .tokens = 7,
                              .lr = 0x1.4f8b5ap-15f,
                              .loss = step == 2 ? 0x1p-149f : (float)step / 3.0f,
                              .has_norm = true,
                              .gradient_norm = -0.0f,
                              .has_slots = step == 2,
                              .slots = {77, 0x1.234568p5f, 0x1.fffffep-1f},
                              .has_digest = step == 3};
    if (line.has_digest) {
        memset(line.digest.hex, 'a', 64);
    }
    return line;
}

static void write_steps(size_t after, size_t last) {
    struct trail trail = {0};
    mneme_error error;
    ck_assert(trail_open(&trail, temporary_path("t"), "pretrain", after, &error) == MNEME_OK);
    for (size_t step = after + 1; step <= last; step++) {
        struct trail_line line = line_of(step);
        ck_assert(trail_add(&trail, &line, &error) == MNEME_OK);
    }
    ck_assert(trail_flush(&trail, &error) == MNEME_OK);
    trail_close(&trail);
}

START_TEST(read_back) {
    struct trail_text text;
    mneme_error error;
    write_steps(0, 3);
    ck_assert(trail_text_open(&text, temporary_path("t"), &error) == MNEME_OK);
    ck_assert_uint_eq(text.n, 3);
    for (size_t i = 0; i < 3; i++) {
        struct trail_line wanted = line_of(i + 1), found;
        ck_assert(trail_text_parse(&text, i, &found, &error) == MNEME_OK);
        ck_assert(found.step == i + 1 && found.tokens == 7);
        ck_assert(found.loss == wanted.loss);
        ck_assert(found.lr == wanted.lr);
        ck_assert(found.has_norm && signbit(found.gradient_norm));
        ck_assert_int_eq(found.has_digest, i == 2);
        ck_assert_int_eq(found.has_slots, i == 1);
        if (!found.has_slots) continue;
        ck_assert_uint_eq(found.slots.slots, 77);
        ck_assert(found.slots.perplexity == wanted.slots.perplexity);
        ck_assert(found.slots.never_read == wanted.slots.never_read);
    }
    trail_text_close(&text);
}
END_TEST

START_TEST(continued) {
    char *whole, *again;
    size_t n_whole, n_again;
    mneme_error error;
    write_steps(0, 5);
    ck_assert(file_read(temporary_path("t"), 10000, &whole, &n_whole, &error) == MNEME_OK);
    write_steps(2, 5);
    ck_assert(file_read(temporary_path("t"), 10000, &again, &n_again, &error) == MNEME_OK);
    ck_assert_uint_eq(n_whole, n_again);
    ck_assert_mem_eq(whole, again, n_whole);
    free(whole);
    free(again);
    struct trail trail = {0};
    mneme_status status = trail_open(&trail, temporary_path("t"), "pretrain", 6, &error);
    assert_refused(status, &error, MNEME_BAD_INPUT, "t", "fewer lines than the 6 steps");
    trail_close(&trail);
}
END_TEST

START_TEST(refused) {
    static const struct {
        const char *bytes, *cause;
    } cases[] = {
        {"", "no line"},
        {"{\"step\": 1}\n", "contract"},
        {"{\"contract\": 2}\n", "contract 2"},
        {"[]\n", "not a line of a trail"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trail_text text;
        mneme_error error;
        temporary_write("bad", cases[i].bytes, strlen(cases[i].bytes));
        mneme_status status = trail_text_open(&text, temporary_path("bad"), &error);
        assert_refused(status, &error, MNEME_BAD_INPUT, "bad", cases[i].cause);
        trail_text_close(&text);
    }
    struct trail_text text;
    mneme_error error;
    temporary_write("nul", "{\"contract\": 1}\0\n{}\n", 20);
    mneme_status status = trail_text_open(&text, temporary_path("nul"), &error);
    assert_refused(status, &error, MNEME_BAD_INPUT, "nul", "NUL");
}
END_TEST

Suite *trail_suite(void) {
    Suite *suite = suite_create("trail");
    TCase *tests = tcase_create("lines");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, read_back);
    tcase_add_test(tests, continued);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
    return suite;
}
