/* The documents of text files. What is expected of JSON is what Python's json.loads gives, of a
 * plain file what open(path, newline=None).read() gives for CRLF. */

#include <check.h>
#include <string.h>

#include "base/path.h"
#include "corpus/text_files.h"
#include "corpus/text_reader.h"
#include "corpus/text_sample.h"
#include "tests/assertions.h"
#include "tests/temporary.h"

#define FILE_NAME "file"

/* Reads the file: its documents, each followed by '|'. */
static mneme_status read_file(char *joined, size_t size, size_t *n_empty, mneme_error *error) {
    struct text_reader reader;
    struct text_document document = {0};
    size_t used = 0;
    TRY(text_reader_open(&reader, temporary_path(FILE_NAME), error));
    mneme_status status;
    while ((status = text_reader_next(&reader, &document, error)) == MNEME_OK &&
           document.bytes != NULL) {
        ck_assert_uint_lt(used + document.length + 2, size);
        memcpy(joined + used, document.bytes, document.length);
        used += document.length;
        joined[used++] = '|';
    }
    joined[used] = '\0';
    *n_empty = reader.n_empty;
    if (status == MNEME_OK) ck_assert_uint_eq(text_reader_done(&reader), reader.file.length);
    text_reader_close(&reader);
    return status;
}

static void check_read(const char *bytes, size_t length, const char *wanted, size_t n_empty) {
    char joined[4096];
    size_t found_empty;
    mneme_error error = {0};
    temporary_write(FILE_NAME, bytes, length);
    mneme_status status = read_file(joined, sizeof joined, &found_empty, &error);
    ck_assert_msg(status == MNEME_OK, "%s: %s", bytes, error.message);
    ck_assert_str_eq(joined, wanted);
    ck_assert_uint_eq(found_empty, n_empty);
}

#define READ(bytes, wanted, n_empty) check_read(bytes, sizeof bytes - 1, wanted, n_empty)

START_TEST(plain_text_is_one_document) {
    READ("one\n\ntwo\n", "one\n\ntwo\n|", 0);
    READ(
        "\xef\xbb\xbf"
        "marked",
        "marked|", 0);
    READ("a\r\nb\r\r\nc\rd\r\n", "a\nb\r\nc\rd\n|", 0);
    READ(" {curly} brackets\n", " {curly} brackets\n|", 0);
    READ("[1] A note.", "[1] A note.|", 0);
    READ("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|", 0);
    READ("{", "{|", 0);
    READ("", "", 1);
    READ(" \n\t\xe2\x80\x83", "", 1);
    READ("\xef\xbb\xbf", "", 1);
}
END_TEST

START_TEST(records_are_documents) {
    READ("{\"text\": \"a\"}\n{\"text\": \"b\"}\n", "a|b|", 0);
    READ("{\"text\": \"a\"}\r\n\r\n{\"id\": 7, \"Text\": \"b\\r\\n\"}", "a|b\r\n|", 0);
    READ("\xef\xbb\xbf{\n \"title\": {\"text\": 1},\n \"text\": \"\\u00e9\\ud83d\\ude00\"\n}",
         "\xc3\xa9\xf0\x9f\x98\x80|", 0);
    READ("{\"text\":\"\"}{\"text\":\"x\"}\n{\"text\":\" \\n\"}", "x|", 2);
}
END_TEST

START_TEST(lists_are_documents) {
    READ("[{\"text\": \"a\"}, {\"text\": \"b\", \"text2\": null}]\n", "a|b|", 0);
    READ(" [\n\"a\"\n,\n\"b\"\n]\n", "a|b|", 0);
    READ("[]", "", 0);
    READ("[ \"\" ]", "", 1);
}
END_TEST

static void check_refused(const char *bytes, size_t length, const char *place, const char *cause) {
    char joined[4096];
    size_t n_empty;
    mneme_error error = {0};
    temporary_write(FILE_NAME, bytes, length);
    assert_refused(read_file(joined, sizeof joined, &n_empty, &error), &error, MNEME_BAD_INPUT,
                   place, cause);
}

#define REFUSED(bytes, place, cause) check_refused(bytes, sizeof bytes - 1, place, cause)

START_TEST(what_is_no_text_is_refused_with_its_place) {
    REFUSED("one\ntwo \xff three", "/file:2: ", "invalid UTF-8 (byte 9 of the file)");
    REFUSED("0123456789abcdef\xe2\x82", "/file:1: ", "invalid UTF-8 (byte 17 of the file)");
    REFUSED("surrogate \xed\xa0\x80", "/file:1: ", "invalid UTF-8 (byte 11 of the file)");
    REFUSED("a\nb\nc\0d", "/file:3: ", "a NUL byte (byte 6 of the file)");
    REFUSED("\x1f\x8b\x08\x00", "/file: ", "compressed with gzip; unpack it first");
    REFUSED(
        "\xfd"
        "7zXZ\0",
        "/file: ", "compressed with xz");
    REFUSED(
        "\x28\xb5\x2f\xfd"
        "abc",
        "/file: ", "compressed with zstd");
    REFUSED("PAR1xx", "/file: ", "Parquet");
    REFUSED(
        "\xff\xfe"
        "a\0",
        "/file: ", "UTF-16");
}
END_TEST

START_TEST(broken_records_are_refused_with_their_line) {
    REFUSED("{\"text\": \"a\"}\n{\"text\": \"b", "/file:2: ", "");
    REFUSED("{\"text\": \"a\"}\n\n{\"title\": \"b\"}\n", "/file:3: ", "no member `text`");
    REFUSED("{\"text\": \"a\"}\n{\"text\": 3}\n", "/file:2: ", "`text` is no string");
    REFUSED("{\"text\": \"a\"}\n{\"text\": null}\n", "/file:2: ", "no member `text`");
    REFUSED("{\"text\": \"a\"},\n{\"text\": \"b\"}\n", "/file:1: ", "");
    REFUSED("{\"text\": \"a\", \"text\": \"b\"}\n", "/file:1: ", "duplicate");
    REFUSED("{\"text\": \"a\\u0000b\"}\n", "/file:1: ", "");
    REFUSED("{}", "/file:1: ", "no member `text`");
    REFUSED("[{\"text\": \"a\"},\n7]", "/file:2: ", "neither a record nor a text");
    REFUSED("[\"a\"\n\"b\"]", "/file:2: ", "`,` or `]` expected");
    REFUSED("[\"a\",\n", "/file:2: ", "");
    REFUSED("[\"a\"", "/file:1: ", "the list has no end");
    REFUSED("[\"a\"]\nx", "/file:2: ", "more after the list");
}
END_TEST

/* The paths of the files, each with '|' after it, without the test's folder. */
static const char *list(const struct text_files *files) {
    static char joined[1024];
    joined[0] = '\0';
    for (size_t i = 0; i < files->n; i++) {
        strcat(joined, files->paths[i] + strlen(temporary_folder) + 1);
        strcat(joined, "|");
    }
    return joined;
}

static void make_folder(void) {
    mneme_error error = {0};
    assert_ok(directory_make(temporary_path("d/sub"), &error), &error);
    assert_ok(directory_make(temporary_path("d/.git"), &error), &error);
    temporary_write("d/b.txt", "b", 1);
    temporary_write("d/sub/a.jsonl", "{\"text\": \"a\"}", 13);
    temporary_write("d/Z.MD", "z", 1);
    temporary_write("d/.git/c.txt", "c", 1);
    temporary_write("d/.DS_Store", "\0", 1);
    temporary_write("d/cover.png", "\x89PNG", 4);
}

/* By the bytes of their paths: `Z` comes before `b`. */
START_TEST(folders_are_their_texts_in_one_order) {
    struct text_files files;
    mneme_error error = {0};
    make_folder();
    temporary_write("other", "o", 1);
    const char *sources[] = {temporary_path("other"), temporary_path("d")};
    assert_ok(text_files_find(sources, 2, &files, &error), &error);
    ck_assert_str_eq(list(&files), "other|d/Z.MD|d/b.txt|d/sub/a.jsonl|");
    ck_assert_uint_eq(files.n_passed_over, 1);
    ck_assert_ptr_nonnull(strstr(files.passed_over, "/d/cover.png"));
    text_files_free(&files);
}
END_TEST

START_TEST(folders_without_text_are_refused) {
    struct text_files files;
    mneme_error error = {0};
    make_folder();
    const char *folder = temporary_path("d"), *empty = temporary_path("e");
    temporary_write("d/more.txt.GZ", "x", 1);
    assert_refused(text_files_find(&folder, 1, &files, &error), &error, MNEME_BAD_INPUT,
                   "/d/more.txt.GZ", "compressed; unpack it first");
    assert_ok(directory_make(empty, &error), &error);
    assert_refused(text_files_find(&empty, 1, &files, &error), &error, MNEME_BAD_INPUT,
                   "/e: ", "has no file of text");
}
END_TEST

START_TEST(a_sample_is_the_first_bytes) {
    struct text_list texts = {0};
    mneme_error error = {0};
    make_folder();
    temporary_write("d/Z.MD", "ab\xc3\xa9", 4);
    const char *folder = temporary_path("d");
    assert_ok(text_sample_load(&folder, 1, 3, &texts, &error), &error);
    ck_assert_uint_eq(texts.n, 1);
    ck_assert_str_eq(texts.texts[0], "ab");
    assert_ok(text_sample_load(&folder, 1, 100, &texts, &error), &error);
    ck_assert_uint_eq(texts.n, 4);
    ck_assert_str_eq(texts.texts[3], "a");
    text_list_free(&texts);
}
END_TEST

Suite *text_reader_suite(void) {
    Suite *suite = suite_create("text_reader");
    TCase *tests = tcase_create("text_reader");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, plain_text_is_one_document);
    tcase_add_test(tests, records_are_documents);
    tcase_add_test(tests, lists_are_documents);
    tcase_add_test(tests, what_is_no_text_is_refused_with_its_place);
    tcase_add_test(tests, broken_records_are_refused_with_their_line);
    tcase_add_test(tests, folders_are_their_texts_in_one_order);
    tcase_add_test(tests, folders_without_text_are_refused);
    tcase_add_test(tests, a_sample_is_the_first_bytes);
    suite_add_tcase(suite, tests);
    return suite;
}
