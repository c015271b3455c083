#include "base/path.h"

#include "base/file.h"
#include "tests/temporary.h"

static void check_string(char *made, const char *expected) {
    ck_assert_str_eq(made, expected);
    free(made);
}

START_TEST(joins_and_splits) {
    check_string(path_join("a", "b"), "a/b");
    check_string(path_join("a/", "b"), "a/b");
    check_string(path_join("", "b"), "b");
    check_string(path_join("a", "/b"), "/b");
    check_string(path_append("a", ".b"), "a.b");
    check_string(path_folder("a/b/c"), "a/b");
    check_string(path_folder("a"), ".");
    check_string(path_folder("/a"), "/");
}
END_TEST

START_TEST(makes_folders_on_the_way) {
    mneme_error error;
    const char *path = temporary_path("a/b//c/");
    assert_ok(directory_make(path, &error), &error);
    ck_assert(file_is_directory(path));
    assert_ok(directory_make(path, &error), &error);
    temporary_write("file", "", 0);
    assert_refused(directory_make(temporary_path("file/x"), &error), &error, MNEME_BAD_INPUT,
                   "/file", "is not a directory");
    assert_refused(directory_make("", &error), &error, MNEME_BAD_INPUT, "", "no name");
}
END_TEST

START_TEST(lists_in_byte_order) {
    mneme_error error;
    assert_ok(directory_make(temporary_path("b"), &error), &error);
    ck_assert_int_eq(symlink(temporary_folder, temporary_path("loop")), 0);
    temporary_write("b/z.t", "", 0);
    temporary_write("a.t", "", 0);
    temporary_write("Z.t", "", 0);
    temporary_write("b.u", "", 0);
    struct path_list list;
    assert_ok(directory_list(temporary_folder, ".t", &list, &error), &error);
    ck_assert_uint_eq(list.n, 3);
    ck_assert_str_eq(list.paths[0], "Z.t");
    ck_assert_str_eq(list.paths[1], "a.t");
    ck_assert_str_eq(list.paths[2], "b/z.t");
    path_list_free(&list);
    assert_refused(directory_list(temporary_path("none"), ".t", &list, &error), &error,
                   MNEME_BAD_INPUT, "none", "No such file");
}
END_TEST

Suite *path_suite(void) {
    Suite *suite = suite_create("path");
    TCase *cases = tcase_create("path");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, joins_and_splits);
    tcase_add_test(cases, makes_folders_on_the_way);
    tcase_add_test(cases, lists_in_byte_order);
    suite_add_tcase(suite, cases);
    return suite;
}
