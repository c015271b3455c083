#include "splitter/split_pattern.h"

#include <check.h>
#include <stdlib.h>

#define SPACES "\\p{Z}\\t-\\r\\x85"

static void check_spelled(const char *pattern, const char *expected) {
    char *spelled = split_pattern_spell(pattern);
    ck_assert_str_eq(spelled, expected);
    free(spelled);
}

START_TEST(spells_spaces_where_they_are_escapes) {
    check_spelled("", "");
    check_spelled("s \\d[^a-z]", "s \\d[^a-z]");
    check_spelled("\\s+(?!\\S)", "[" SPACES "]+(?![^" SPACES "])");
    check_spelled("[^\\s\\p{L}]", "[^" SPACES "\\p{L}]");
    check_spelled("[\\S]\\S", "[\\S][^" SPACES "]");
    check_spelled("\\\\s\\[\\s", "\\\\s\\[[" SPACES "]");
    check_spelled("[]\\s]\\s", "[]" SPACES "][" SPACES "]");
    check_spelled("[^]\\s]\\s", "[^]" SPACES "][" SPACES "]");
    check_spelled("[[:alpha:]\\s[]\\s", "[[:alpha:]" SPACES "[][" SPACES "]");
    check_spelled("[[:\\s", "[[:" SPACES);
    check_spelled("a\\", "a\\");
}
END_TEST

Suite *split_pattern_suite(void) {
    Suite *suite = suite_create("split_pattern");
    TCase *cases = tcase_create("split_pattern");
    tcase_add_test(cases, spells_spaces_where_they_are_escapes);
    suite_add_tcase(suite, cases);
    return suite;
}
