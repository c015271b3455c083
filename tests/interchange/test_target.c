/* The folders that imports and exports make. */

#include <mneme/interchange.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "tests/interchange/imports.h"

#define HF_LLAMA "tests/interchange/hf_llama"

static void copy(const char *name, const char *from) {
    char *bytes;
    size_t length;
    mneme_error error;
    assert_ok(file_read(from, 1 << 20, &bytes, &length, &error), &error);
    temporary_write(name, bytes, length);
    free(bytes);
}

/* A Llama folder of somebody's own. */
static void make_source(void) {
    mneme_error error;
    assert_ok(directory_make(temporary_path("source"), &error), &error);
    copy("source/config.json", HF_LLAMA "/config.json");
    copy("source/model.safetensors", HF_LLAMA "/model.safetensors");
}

static struct stat facts_of(const char *path) {
    struct stat facts;
    ck_assert_int_eq(lstat(path, &facts), 0);
    return facts;
}

/* An import there is refused, and the source stays what it was. */
static void check_refused(const char *folder, int replace, const char *cause) {
    const mneme_interchange_options options = {.replace = replace};
    mneme_interchange_result result;
    mneme_error error = {0};
    struct stat before = facts_of(temporary_path("source/config.json"));
    assert_refused(mneme_import("hf", temporary_path("source"), folder, &options, &result, &error),
                   &error, MNEME_BAD_INPUT, "", cause);
    struct stat after = facts_of(temporary_path("source/config.json"));
    ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
    ck_assert(!file_exists(temporary_path("source.partial")));
}

START_TEST(what_is_read_is_never_written) {
    static const char *const names[] = {"source", "source/", "source/.",       "source/../source",
                                        "link",   "link/",   "other/up/source"};
    mneme_error error;
    make_source();
    ck_assert_int_eq(symlink("source", temporary_path("link")), 0);
    assert_ok(directory_make(temporary_path("other"), &error), &error);
    ck_assert_int_eq(symlink("..", temporary_path("other/up")), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_refused(temporary_path(names[i]), 0, "is the folder that is read");
        check_refused(temporary_path(names[i]), 1, "is the folder that is read");
    }
}
END_TEST

/* The source's files are links to, or the same files as, those of the target. */
START_TEST(what_is_read_by_links_is_not_replaced) {
    mneme_error error;
    make_source();
    import("hf", temporary_path("source"), temporary_path("m"));
    assert_ok(directory_make(temporary_path("links"), &error), &error);
    copy("links/config.json", HF_LLAMA "/config.json");
    ck_assert_int_eq(symlink("../m/model.safetensors", temporary_path("links/model.safetensors")),
                     0);
    const mneme_interchange_options options = {.replace = 1};
    mneme_interchange_result result;
    assert_refused(
        mneme_import("hf", temporary_path("links"), temporary_path("m"), &options, &result, &error),
        &error, MNEME_BAD_INPUT, "links/model.safetensors",
        "is a file of the folder that would be replaced");
    ck_assert(file_exists(temporary_path("m/model.safetensors")));
}
END_TEST

START_TEST(what_lies_there_stays) {
    mneme_error error;
    make_source();
    assert_ok(directory_make(temporary_path("full"), &error), &error);
    temporary_write("full/thesis.txt", "x", 1);
    check_refused(temporary_path("full"), 0, "already holds thesis.txt");
    check_refused(temporary_path("full"), 1, "holds thesis.txt, which is no file of a model");
    temporary_write("file", "x", 1);
    check_refused(temporary_path("file"), 1, "is not a directory");
    ck_assert_int_eq(symlink("nothing", temporary_path("dangling")), 0);
    check_refused(temporary_path("dangling"), 1, "is a link to nothing");
    check_refused("", 1, "no name for the folder");
    check_refused(temporary_path("."), 1, "which is no file of a model");
}
END_TEST

START_TEST(an_earlier_import_gives_way_whole) {
    mneme_interchange_result result;
    mneme_error error = {0};
    make_source();
    import("hf", temporary_path("source"), temporary_path("m"));
    temporary_write("m/tokenizer.json", "{}", 2);
    check_refused(temporary_path("m"), 0, "already holds ");
    ck_assert(file_exists(temporary_path("m/tokenizer.json")));
    import("hf", temporary_path("source"), temporary_path("m"));
    ck_assert(!file_exists(temporary_path("m/tokenizer.json")));
    ck_assert(file_exists(temporary_path("m/model.safetensors")));
    ck_assert(!file_exists(temporary_path("m.partial")));
    assert_refused(
        mneme_export("hf", temporary_path("m"), temporary_path("m"), NULL, &result, &error), &error,
        MNEME_BAD_INPUT, "", "is the folder that is read");
}
END_TEST

/* What a killed import left is taken over; what somebody put there is not. */
START_TEST(a_killed_import_is_begun_anew) {
    mneme_interchange_result result;
    mneme_error error = {0};
    make_source();
    assert_ok(directory_make(temporary_path("m.partial"), &error), &error);
    temporary_write("m.partial/tokenizer.json", "{", 1);
    temporary_write("m.partial/model.safetensors.partial", "{", 1);
    import("hf", temporary_path("source"), temporary_path("m"));
    ck_assert(!file_exists(temporary_path("m/tokenizer.json")));
    ck_assert(!file_exists(temporary_path("m.partial")));
    assert_ok(directory_make(temporary_path("n.partial"), &error), &error);
    temporary_write("n.partial/thesis.txt", "x", 1);
    assert_refused(
        mneme_import("hf", temporary_path("source"), temporary_path("n"), NULL, &result, &error),
        &error, MNEME_BAD_INPUT, "n.partial", "holds thesis.txt");
    ck_assert(file_exists(temporary_path("n.partial/thesis.txt")));
}
END_TEST

START_TEST(a_failed_import_leaves_nothing) {
    mneme_interchange_result result;
    mneme_error error = {0};
    make_source();
    temporary_write("source/model.safetensors", "cut", 3);
    ck_assert_int_eq(mneme_import("hf", temporary_path("source"), temporary_path("new/m"), NULL,
                                  &result, &error),
                     MNEME_BAD_INPUT);
    ck_assert(!file_exists(temporary_path("new/m")));
    ck_assert(!file_exists(temporary_path("new/m.partial")));
}
END_TEST

Suite *target_suite(void) {
    Suite *suite = suite_create("target");
    TCase *cases = tcase_create("target");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, what_is_read_is_never_written);
    tcase_add_test(cases, what_is_read_by_links_is_not_replaced);
    tcase_add_test(cases, what_lies_there_stays);
    tcase_add_test(cases, an_earlier_import_gives_way_whole);
    tcase_add_test(cases, a_killed_import_is_begun_anew);
    tcase_add_test(cases, a_failed_import_leaves_nothing);
    suite_add_tcase(suite, cases);
    return suite;
}
