/* Scores against SQuAD's rules as Python runs them: every character, and 200,000 pairs of answers.
 */

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/qa_score.h"
#include "tests/assertions.h"
#include "tests/data/data_sets.h"

#define TABLES "src/text/unicode_tables"

static FILE *open_pipe(const char *command) {
    FILE *pipe = popen(command, "r"); /* NOLINT(cert-env33-c): the test's own commands */
    ck_assert_ptr_nonnull(pipe);
    return pipe;
}

/* Whether the command prints this line. */
static bool prints(const char *command, const char *line) {
    char printed[200] = "";
    FILE *pipe = open_pipe(command);
    bool same = fgets(printed, sizeof printed, pipe) != NULL;
    printed[strcspn(printed, "\n")] = '\0';
    pclose(pipe);
    return same && strcmp(printed, line) == 0;
}

/* Whether there is a Python with the tables' version of Unicode; otherwise the test ends. */
static bool has_python(const char *test) {
    static const char version[] =
        "python3 -c 'import unicodedata; print(unicodedata.unidata_version)' 2>/dev/null";
    if (prints(version, "14.0.0")) return true;
    printf("skip: %s: no python3 with Unicode 14.0.0\n", test);
    return false;
}

START_TEST(tables_are_pythons) {
    if (!has_python("tables_are_pythons")) return;
    ck_assert(prints("python3 " TABLES ".py | cmp - " TABLES ".h && echo same", "same"));
}
END_TEST

/* Reads a text that squad_pairs.py wrote, with a NUL; NULL at the end. */
static char *read_text(FILE *pipe, size_t *length) {
    uint32_t n;
    if (fread(&n, sizeof n, 1, pipe) != 1) return NULL;
    ck_assert_uint_lt(n, 1u << 20);
    char *text = calloc(n + 1, 1);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(fread(text, 1, n, pipe), n);
    *length = n;
    return text;
}

START_TEST(every_character_is_normalized_as_python_does) {
    if (!has_python("every_character_is_normalized_as_python_does")) return;
    FILE *pipe = open_pipe("python3 tests/eval/squad_pairs.py characters");
    size_t n = 0, length;
    for (char *text; (text = read_text(pipe, &length)) != NULL; n++) {
        char *expected = read_text(pipe, &(size_t){0});
        char *normal = qa_normalize(text, length);
        ck_assert_msg(strcmp(normal, expected) == 0, "'%s': '%s', not '%s'", text, normal,
                      expected);
        free(normal);
        free(expected);
        free(text);
    }
    ck_assert_int_eq(pclose(pipe), 0);
    ck_assert_uint_gt(n, 50000);
}
END_TEST

/* The command that makes pairs of the answers of the data sets, or of its own alone without them.
 */
static void pairs_command(const char *test, char *command, size_t size) {
    static const char *const names[] = {
        "nq_open/NQ-open.dev.jsonl",         "questions/triviaqa_2000.jsonl",
        "questions/popqa_2000.jsonl",        "questions/wikidyk_1765.jsonl",
        "questions/webquestions_2032.jsonl", "simpleqa/simple_qa_first_half.csv",
        "documents/squad_new_wiki_400.json", "triviaqa/triviaqa_sample.json"};
    static const char script[] = "python3 tests/eval/squad_pairs.py answers";
    size_t used = (size_t)snprintf(command, size, "%s", script);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        if (!data_set(test, names[i], path)) {
            snprintf(command, size, "%s", script);
            return;
        }
        used += (size_t)snprintf(command + used, size - used, " '%s'", path);
    }
}

START_TEST(answers_are_scored_as_python_does) {
    static const char test[] = "answers_are_scored_as_python_does";
    if (!has_python(test)) return;
    char command[6000];
    pairs_command(test, command, sizeof command);
    FILE *pipe = open_pipe(command);
    size_t n = 0, n_different = 0, length;
    for (char *said; (said = read_text(pipe, &length)) != NULL; n++) {
        char *answer = read_text(pipe, &(size_t){0});
        double expected[2], f1, em;
        ck_assert_uint_eq(fread(expected, sizeof *expected, 2, pipe), 2);
        mneme_error error;
        assert_ok(qa_score(said, length, (const char *const *)&answer, 1, &f1, &em, &error),
                  &error);
        if (f1 != expected[0] || em != expected[1]) {
            if (n_different++ < 10) {
                printf("'%s' for '%s': F1 %.17g, EM %g, not %.17g, %g\n", said, answer, f1, em,
                       expected[0], expected[1]);
            }
        }
        free(answer);
        free(said);
    }
    ck_assert_int_eq(pclose(pipe), 0);
    ck_assert_uint_eq(n, 200000);
    ck_assert_uint_eq(n_different, 0);
}
END_TEST

Suite *squad_suite(void) {
    Suite *suite = suite_create("squad");
    TCase *tests = tcase_create("squad");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, tables_are_pythons);
    tcase_add_test(tests, every_character_is_normalized_as_python_does);
    tcase_add_test(tests, answers_are_scored_as_python_does);
    suite_add_tcase(suite, tests);
    return suite;
}
