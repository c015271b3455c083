#include "base/digest.h"

#include "assertions.h"
#include "temporary.h"

/* FIPS 180-4's examples. */
static const struct {
    const char *text;
    const char *hex;
} examples[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(known_answers) {
    struct digest digest;
    mneme_error error;
    const char *text = examples[_i].text;
    assert_ok(digest_of_bytes(text, strlen(text), &digest, &error), &error);
    ck_assert_str_eq(digest.hex, examples[_i].hex);
    temporary_write("text", text, strlen(text));
    assert_ok(digest_of_file(temporary_path("text"), 100, &digest, &error), &error);
    ck_assert_str_eq(digest.hex, examples[_i].hex);
    assert_refused(digest_of_file(temporary_path("none"), 100, &digest, &error), &error,
                   MNEME_BAD_INPUT, "none", "cannot open");
}
END_TEST

START_TEST(pieces_make_the_same_digest) {
    struct digest digest;
    struct digest_stream stream = {0};
    mneme_error error;
    digest_close(&stream);
    const char *text = examples[_i].text;
    assert_ok(digest_open(&stream, &error), &error);
    for (; *text != '\0'; text++) {
        assert_ok(digest_update(&stream, text, 1, &error), &error);
    }
    assert_ok(digest_update(&stream, NULL, 0, &error), &error);
    assert_ok(digest_finish(&stream, &digest, &error), &error);
    ck_assert_str_eq(digest.hex, examples[_i].hex);
    digest_close(&stream);
}
END_TEST

Suite *digest_suite(void) {
    Suite *suite = suite_create("digest");
    TCase *cases = tcase_create("digest");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_loop_test(cases, known_answers, 0, 3);
    tcase_add_loop_test(cases, pieces_make_the_same_digest, 0, 3);
    suite_add_tcase(suite, cases);
    return suite;
}
