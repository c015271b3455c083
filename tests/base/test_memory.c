/* Arenas that are laid out from a list of pieces. */

#include <check.h>
#include <stdint.h>
#include <string.h>

#include "assertions.h"
#include "base/memory.h"

START_TEST(pieces) {
    struct arena arena;
    mneme_error error;
    float *floats = NULL;
    char *nothing = NULL, *bytes = NULL;
    const struct arena_piece list[] = {
        {&floats, 17, sizeof(float)}, {&nothing, 0, 8}, {&bytes, 3, 1}};
    assert_ok(arena_layout(&arena, 3, list, "a test", &error), &error);
    /* 68, 0 and 3 bytes, each rounded up to whole cache lines, at least one. */
    ck_assert_uint_eq(arena.size, 128 + 64 + 64);
    ck_assert_uint_eq(arena_bytes(3, list), arena.size);
    ck_assert_ptr_eq(floats, arena.base);
    ck_assert_ptr_eq(nothing, arena.base + 128);
    ck_assert_ptr_eq(bytes, arena.base + 192);
    ck_assert_uint_eq((uintptr_t)floats % MEMORY_ALIGNMENT, 0);
    for (size_t i = 0; i < arena.size; i++) ck_assert_uint_eq(arena.base[i], 0);
    arena_close(&arena);
    ck_assert_ptr_null(arena.base);
}
END_TEST

START_TEST(no_pieces) {
    struct arena arena;
    mneme_error error;
    assert_ok(arena_layout(&arena, 0, NULL, "a test", &error), &error);
    ck_assert_ptr_null(arena.base);
    arena_close(&arena);
}
END_TEST

/* Sizes whose product, or whose sum, fits no size_t. */
START_TEST(too_large) {
    struct arena arena;
    mneme_error error;
    char *a, *b;
    const struct arena_piece product[] = {{&a, SIZE_MAX / 2, 3}};
    const struct arena_piece sum[] = {{&a, SIZE_MAX / 2, 1}, {&b, SIZE_MAX / 2 + 2, 1}};
    assert_refused(arena_layout(&arena, 1, product, "a test", &error), &error, MNEME_FAILED,
                   "a test", "memory");
    assert_refused(arena_layout(&arena, 2, sum, "a test", &error), &error, MNEME_FAILED, "a test",
                   "memory");
}
END_TEST

Suite *memory_suite(void) {
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("arenas");
    tcase_add_test(tests, pieces);
    tcase_add_test(tests, no_pieces);
    tcase_add_test(tests, too_large);
    suite_add_tcase(suite, tests);
    return suite;
}
