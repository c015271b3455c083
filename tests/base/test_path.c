#include "base/path.h"

#include "base/file.h"
#include "tests/temporary.h"

START_TEST(joins_and_splits) {
    ck_assert_str_eq(path_in("a", "b").text, "a/b");
    ck_assert_str_eq(path_in("a/", "b-%d.%s", 3, "c").text, "a/b-3.c");
    ck_assert_str_eq(path_in("", "b").text, "b");
    ck_assert_str_eq(path_in("a", "/b").text, "/b");
    ck_assert_str_eq(path_parent("a/b/c").text, "a/b");
    ck_assert_str_eq(path_parent("a").text, ".");
    ck_assert_str_eq(path_parent("/a").text, "/");
}
END_TEST

/* Cut, it is still too long for the system, so that no other file is taken for it. */
START_TEST(a_path_that_is_too_long_is_refused) {
    char name[2 * PATH_SIZE];
    mneme_error error;
    memset(name, 'a', sizeof name);
    for (size_t i = 0; i < sizeof name; i += 100) name[i] = '/';
    name[sizeof name - 1] = '\0';
    struct path path = path_in(temporary_folder, "x%s", name);
    ck_assert_uint_eq(strlen(path.text), PATH_SIZE - 1);
    assert_refused(file_write_atomic(path.text, "", 0, &error), &error, MNEME_BAD_INPUT, "/x/",
                   "/x/aaaa");
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
    tcase_add_test(cases, a_path_that_is_too_long_is_refused);
    tcase_add_test(cases, makes_folders_on_the_way);
    tcase_add_test(cases, lists_in_byte_order);
    suite_add_tcase(suite, cases);
    return suite;
}
