#include "base/file.h"

#include <signal.h>
#include <sys/stat.h>

#include "base/path.h"
#include "tests/temporary.h"

static void check_content(const char *path, const char *expected) {
    char *bytes;
    size_t length;
    mneme_error error;
    assert_ok(file_read(path, 1 << 20, &bytes, &length, &error), &error);
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_str_eq(bytes, expected);
    free(bytes);
}

START_TEST(writes_and_reads_back) {
    mneme_error error;
    const char *path = temporary_path("a");
    assert_ok(file_write_atomic(path, "hello", 5, &error), &error);
    check_content(path, "hello");
    assert_ok(file_write_atomic(path, "", 0, &error), &error);
    check_content(path, "");
    ck_assert_uint_eq(temporary_count(), 1);
}
END_TEST

START_TEST(reads_what_has_no_size) {
    char *bytes;
    size_t length;
    mneme_error error;
    assert_ok(file_read("/proc/self/status", 1 << 20, &bytes, &length, &error), &error);
    ck_assert_uint_gt(length, 0);
    free(bytes);
    mneme_status status = file_read("/dev/zero", 100000, &bytes, &length, &error);
    assert_refused(status, &error, MNEME_BAD_INPUT, "/dev/zero", "larger than 100000 bytes");
    ck_assert_ptr_null(bytes);
}
END_TEST

START_TEST(refuses_paths_that_are_no_file) {
    char *bytes;
    size_t length;
    mneme_error error;
    const char *path = temporary_path("none");
    assert_refused(file_read(path, 9, &bytes, &length, &error), &error, MNEME_BAD_INPUT, path,
                   "No such file");
    assert_refused(file_read(temporary_folder, 9, &bytes, &length, &error), &error, MNEME_BAD_INPUT,
                   temporary_folder, "is a directory");
    temporary_write("big", "0123456789", 10);
    path = temporary_path("big");
    assert_refused(file_read(path, 9, &bytes, &length, &error), &error, MNEME_BAD_INPUT, path,
                   "larger than 9 bytes");
    assert_ok(file_read(path, 10, &bytes, &length, &error), &error);
    free(bytes);
}
END_TEST

START_TEST(refuses_targets_that_are_no_file) {
    mneme_error error;
    assert_refused(file_write_atomic(temporary_folder, "x", 1, &error), &error, MNEME_BAD_INPUT,
                   temporary_folder, "is a directory");
    assert_refused(file_write_atomic("/dev/full", "x", 1, &error), &error, MNEME_BAD_INPUT,
                   "/dev/full", "not a regular file");
    assert_refused(file_write_atomic("", "x", 1, &error), &error, MNEME_BAD_INPUT, "", "no name");
    const char *path = temporary_path("no/such/folder");
    assert_refused(file_write_atomic(path, "x", 1, &error), &error, MNEME_BAD_INPUT, path,
                   "No such file");
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file) {
    mneme_error error;
    const char *path = temporary_path("a");
    assert_ok(file_write_atomic(path, "old", 3, &error), &error);
    static char bytes[100000];
    signal(SIGXFSZ, SIG_IGN);
    temporary_limit_files(8192);
    mneme_status large = file_write_atomic(path, bytes, sizeof bytes, &error);
    mneme_error small_error;
    temporary_limit_files(100); /* only the last flush meets the end of the disk */
    mneme_status small = file_write_atomic(path, bytes, 200, &small_error);
    temporary_limit_files(RLIM_INFINITY);
    assert_refused(large, &error, MNEME_FAILED, path, "cannot write: File too large");
    assert_refused(small, &small_error, MNEME_FAILED, path, "cannot write: File too large");
    check_content(path, "old");
    ck_assert_uint_eq(temporary_count(), 1);
}
END_TEST

START_TEST(a_folder_not_writable_is_named) {
    mneme_error error;
    const char *path = temporary_path("a");
    ck_assert_int_eq(chmod(temporary_folder, 0555), 0);
    bool root = geteuid() == 0; /* whom permissions do not stop */
    if (root) ck_assert_int_eq(seteuid(65534), 0);
    mneme_status status = file_write_atomic(path, "x", 1, &error);
    mneme_error make_error;
    mneme_status make_status = directory_make(temporary_path("b/c"), &make_error);
    if (root) ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(temporary_folder, 0755), 0);
    assert_refused(status, &error, MNEME_FAILED, path, "Permission denied");
    assert_refused(make_status, &make_error, MNEME_FAILED, temporary_path("b"),
                   "Permission denied");
    ck_assert_uint_eq(temporary_count(), 0);
}
END_TEST

START_TEST(a_leftover_of_a_killed_writer_does_not_disturb) {
    mneme_error error;
    temporary_write("a.partial", "left over by somebody", 21);
    assert_ok(file_write_atomic(temporary_path("a"), "new", 3, &error), &error);
    check_content(temporary_path("a"), "new");
    ck_assert_uint_eq(temporary_count(), 1);

    temporary_write("victim", "keep", 4);
    ck_assert_int_eq(symlink(temporary_path("victim"), temporary_path("b.partial")), 0);
    assert_ok(file_write_atomic(temporary_path("b"), "new", 3, &error), &error);
    check_content(temporary_path("victim"), "keep");
}
END_TEST

START_TEST(abandoned_writers_leave_nothing) {
    mneme_error error;
    struct file_writer writer = {0};
    file_writer_abandon(&writer);
    assert_ok(file_writer_open(&writer, temporary_path("a"), &error), &error);
    assert_ok(file_writer_write(&writer, "x", 1, &error), &error);
    file_writer_abandon(&writer);
    file_writer_abandon(&writer);
    ck_assert_uint_eq(temporary_count(), 0);
}
END_TEST

START_TEST(reader_reports_a_file_cut_while_open) {
    mneme_error error;
    struct file_reader reader;
    char bytes[4] = "";
    temporary_write("a", "0123456789", 10);
    const char *path = temporary_path("a");
    assert_ok(file_reader_open(&reader, path, &error), &error);
    ck_assert_uint_eq(reader.size, 10);
    assert_ok(file_reader_read(&reader, 6, bytes, 4, &error), &error);
    ck_assert_mem_eq(bytes, "6789", 4);
    ck_assert_int_eq(truncate(path, 8), 0);
    assert_refused(file_reader_read(&reader, 6, bytes, 4, &error), &error, MNEME_BAD_INPUT, path,
                   "ends at byte 8");
    file_reader_close(&reader);
    file_reader_close(&reader);
    assert_refused(file_reader_open(&reader, "/dev/null", &error), &error, MNEME_BAD_INPUT,
                   "/dev/null", "not a regular file");
    assert_refused(file_reader_open(&reader, temporary_folder, &error), &error, MNEME_BAD_INPUT,
                   temporary_folder, "is a directory");
}
END_TEST

Suite *file_suite(void) {
    Suite *suite = suite_create("file");
    TCase *cases = tcase_create("file");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, writes_and_reads_back);
    tcase_add_test(cases, reads_what_has_no_size);
    tcase_add_test(cases, refuses_paths_that_are_no_file);
    tcase_add_test(cases, refuses_targets_that_are_no_file);
    tcase_add_test(cases, a_full_disk_leaves_the_old_file);
    tcase_add_test(cases, a_folder_not_writable_is_named);
    tcase_add_test(cases, a_leftover_of_a_killed_writer_does_not_disturb);
    tcase_add_test(cases, abandoned_writers_leave_nothing);
    tcase_add_test(cases, reader_reports_a_file_cut_while_open);
    suite_add_tcase(suite, cases);
    return suite;
}
