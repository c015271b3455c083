/* SQuAD's scores on hard strings. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eval/qa_score.h"
#include "tests/assertions.h"

static void check_normal(const char *text, const char *expected) {
    char *normal = qa_normalize(text, strlen(text));
    ck_assert_str_eq(normal, expected);
    free(normal);
}

START_TEST(normalization) {
    check_normal("", "");
    check_normal("  The Beatles,\tand\n A-ha! ", "beatles and aha");
    check_normal("the", "");
    check_normal("an apple a day", "apple day");
    check_normal("theatre anew a's", "theatre anew as");
    check_normal("THE THE THE x", "x");
    check_normal("$1,000.50", "100050");
    check_normal(
        "\xc3\x89"
        "COLE \xc3\x9c"
        "BER \xc5\x81\xc3\xb3"
        "d\xc5\xba",
        "\xc3\xa9"
        "cole \xc3\xbc"
        "ber \xc5\x82\xc3\xb3"
        "d\xc5\xba");
    check_normal("\xce\x91\xce\xa9 \xd0\x90\xd0\xaf\xd0\x81",
                 "\xce\xb1\xcf\x89 \xd0\xb0\xd1\x8f\xd1\x91");
    check_normal("\xe2\x80\x9cquoted\xe2\x80\x9d", "\xe2\x80\x9cquoted\xe2\x80\x9d");
    check_normal("cut \xc3", "cut \xef\xbf\xbd");
    check_normal("\xff\xfe x", "\xef\xbf\xbd\xef\xbf\xbd x");
    check_normal("\xc3\x97", "\xc3\x97"); /* the times sign has no lower case */
}
END_TEST

/* By Python's str and re (3.11). */
START_TEST(characters_beyond_ascii) {
    check_normal("54\u00a0Mbit/s", "54 mbits");
    check_normal(
        "a\u2009b\u3000c\u2028d\xc2\x85"
        "e\x1f"
        "f",
        "b c d e f");
    check_normal("x\u200bthe\ufeff", "x\u200b \ufeff"); /* neither blanks nor letters */
    check_normal("\u0218\u021a\u1e9e \u0386\u0490 \uff21\uff3a",
                 "\u0219\u021b\u00df \u03ac\u0491 \uff41\uff5a");
    check_normal("\u0130zmir", "i\u0307zmir");
    check_normal("\u039f\u0394\u039f\u03a3 \u03a3\u0391 \u03a3",
                 "\u03bf\u03b4\u03bf\u03c2 \u03c3\u03b1 \u03c3");
    check_normal("A\u03a3\u0301b A\u03a3\u0301 c\u03a3\u00b7 d",
                 "a\u03c3\u0301b a\u03c2\u0301 c\u03c2\u00b7 d");
    check_normal("the\u2019an\u2014x A\u0301 \u00aaa", "\u2019 \u2014x \u0301 \u00aaa");
    check_normal("\U00010400\u2160\u24b6\u01c5", "\U00010428\u2170\u24d0\u01c6");
    check_normal("a-b the_x", "ab thex");
    check_normal("\xf0\x9f\x99 x\xe2\x82", "\ufffd x\ufffd");
    check_normal("\xed\xa0\x80\xc0\x80", "\ufffd\ufffd\ufffd\ufffd\ufffd");
}
END_TEST

static void check_score(const char *said, const char *answer, double f1, double em) {
    double got_f1, got_em;
    mneme_error error;
    const char *answers[] = {"nothing like it zzz", answer};
    assert_ok(qa_score(said, strlen(said), answers, 2, &got_f1, &got_em, &error), &error);
    ck_assert_msg(got_f1 == f1 && got_em == em, "'%s' for '%s': F1 %.17g, EM %g", said, answer,
                  got_f1, got_em);
}

START_TEST(scores) {
    check_score("Paris", "paris", 1.0, 1.0);
    check_score(" The city of Paris.", "Paris", 2.0 * 1 / (3 + 1), 0.0);
    check_score("red red blue", "red blue blue", 2.0 * 2 / 6, 0.0);
    check_score("red red red", "red", 2.0 * 1 / 4, 0.0);
    check_score("london", "paris", 0.0, 0.0);
    check_score("", "the", 1.0, 1.0); /* both are empty once normalised */
    check_score("", "paris", 0.0, 0.0);
    check_score("b a c", "c b", 1.0, 0.0);
    check_score("54 Mbit/s", "54\u00a0Mbit/s", 1.0, 1.0);
    check_score("one two", "one two three", 0x1.999999999999ap-1, 0.0);
    check_score("a b c d e f g", "b c d e f g h i j k l m n", 0x1.435e50d79435ep-1, 0.0);
    double f1, em;
    mneme_error error;
    assert_ok(qa_score("x", 1, NULL, 0, &f1, &em, &error), &error);
    ck_assert(f1 == 0.0 && em == 0.0);
}
END_TEST

Suite *qa_score_suite(void) {
    Suite *suite = suite_create("qa_score");
    TCase *tests = tcase_create("squad");
    tcase_add_test(tests, normalization);
    tcase_add_test(tests, characters_beyond_ascii);
    tcase_add_test(tests, scores);
    suite_add_tcase(suite, tests);
    return suite;
}
