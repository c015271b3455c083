/* Runs every suite of tests/, or what MNEME_TEST names: SUITE or SUITE.TEST, between commas. */

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites.inc"
#undef SUITE

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
#define SUITE(name) {#name, name##_suite},
#include "suites.inc"
#undef SUITE
};

static bool is_word(const char *text, size_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* Whether MNEME_TEST names the test, or the suite when `test` is NULL: all if it is not set. */
static bool wanted(const char *suite, const char *test) {
    const char *list = getenv("MNEME_TEST");
    if (list == NULL || list[0] == '\0') return true;
    for (; *list != '\0'; list += *list == ',') {
        size_t length = strcspn(list, ","), n = strcspn(list, ".,");
        if (is_word(list, n, suite) &&
            (n == length || test == NULL || is_word(list + n + 1, length - n - 1, test))) {
            return true;
        }
        list += length;
    }
    return false;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
/* What the suites' tcase_add_test calls: the linker puts it before Check's own function. */
void __real__tcase_add_test(TCase *tests, const TTest *test, int signal, int status, int start,
                            int end);
void __wrap__tcase_add_test(TCase *tests, const TTest *test, int signal, int status, int start,
                            int end);

static const char *suite_being_made;
static size_t n_tests;

void __wrap__tcase_add_test(TCase *tests, const TTest *test, int signal, int status, int start,
                            int end) {
    if (!wanted(suite_being_made, test->name)) return;
    __real__tcase_add_test(tests, test, signal, status, start, end);
    n_tests++;
}
/* NOLINTEND(bugprone-reserved-identifier) */

int main(void) {
    /* Check's 4 seconds are too few for a busy machine or a sanitizer. */
    setenv("CK_DEFAULT_TIMEOUT", "600", 0);
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        suite_being_made = suites[i].name;
        if (wanted(suite_being_made, NULL)) srunner_add_suite(runner, suites[i].make());
    }
    if (n_tests == 0) {
        fprintf(stderr, "MNEME_TEST=%s: no test of that name\n", getenv("MNEME_TEST"));
        return EXIT_FAILURE;
    }
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
