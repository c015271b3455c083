/* Files of multiple-choice questions: layouts, and what is refused. */

#include "data/choices.h"

#include "tests/assertions.h"
#include "tests/data/data_sets.h"
#include "tests/temporary.h"

static struct choice_set load(const char *text) {
    struct choice_set set;
    mneme_error error = {0};
    temporary_write("choices", text, strlen(text));
    assert_ok(choices_load(temporary_path("choices"), &set, &error), &error);
    return set;
}

/* The first question of a file. */
static void check_first(const char *text, const char *context, const char *first_ending,
                        size_t n_endings, size_t right) {
    struct choice_set set = load(text);
    ck_assert_str_eq(set.questions[0].context, context);
    ck_assert_uint_eq(set.questions[0].endings.n, n_endings);
    ck_assert_str_eq(set.questions[0].endings.texts[0], first_ending);
    ck_assert_uint_eq(set.questions[0].right, right);
    choices_free(&set);
}

START_TEST(layouts_of_arc) {
    check_first(
        "{\"question\": {\"stem\": \"Why?\", \"choices\": [{\"text\": \"so\", \"label\": "
        "\"1\"}, {\"text\": \"no\", \"label\": \"2\"}]}, \"answerKey\": \"2\"}",
        "Question: Why?\nAnswer:", "so", 2, 1);
    check_first(
        "\xef\xbb\xbf[{\"question\": \"Why?\", \"choices\": {\"text\": [\"so\"], \"label\": "
        "[\"A\"]}, \"answerKey\": \"A\"}]",
        "Question: Why?\nAnswer:", "so", 1, 0);
    check_first("\n{\"question\": \"Why?\", \"choices\": [\"so\", \"no\"], \"answer\": 1}\n",
                "Question: Why?\nAnswer:", "so", 2, 1);
}
END_TEST

/* Contexts and endings of process_docs in lm_eval 0.4.13's tasks/hellaswag/utils.py. */
START_TEST(layouts_of_hellaswag) {
    check_first(
        "{\"activity_label\": \"Sleep\", \"ctx_a\": \"[header] How [title] Lie [substeps]  "
        "down.\", \"ctx_b\": \"éLAN the ΣΑΣ\", \"endings\": [\" [step] Go  on.\", \"b\"], "
        "\"label\": \"1\"}",
        "Sleep: How. Lie  down. Élan the σας", " Go on.", 2, 1);
    check_first(
        "{\"activity_label\": \"Sleep\", \"ctx_a\": \"Lie.\", \"ctx_b\": \"\", \"endings\": "
        "[\"a [x\", \"b\"], \"label\": 0}",
        "Sleep: Lie.", "a [x", 2, 0);
    check_first(
        "{\"activity_label\": \"Sleep\", \"ctx\": \"Lie. [a]He\", \"endings\": [\"is\"], "
        "\"label\": 0}",
        "Sleep: Lie. He", "is", 1, 0);
}
END_TEST

START_TEST(plain_layouts) {
    check_first("{\"context\": \" As is \", \"endings\": [\"b \", \"c\"], \"label\": \"B\"}",
                " As is ", "b ", 2, 1);
    struct choice_set set = load(
        "{\"context\": \"a\", \"choices\": [\"b\"], \"answer\": 0} "
        "{\"context\": \"a\\n\", \"choices\": [\"b\"], \"answer\": 0}");
    ck_assert_uint_eq(set.n, 2);
    ck_assert_str_eq(set.questions[0].lead, " ");
    ck_assert_str_eq(set.questions[1].lead, "");
    choices_free(&set);
}
END_TEST

START_TEST(bad_records_are_refused) {
    static const struct {
        const char *text, *cause;
    } bad[] = {
        {"{\"a\": 1}", ":1: has no \"context\" or \"question\""},
        {"\n{\"question\": {}}", ":2: has no question"},
        {"{\"question\": {\"stem\": \"a\"}}", "has no \"answerKey\""},
        {"{\"question\": {\"stem\": \"a\"}, \"answerKey\": \"A\"}", "has no choices"},
        {"{\"question\": {\"stem\": \"a\", \"choices\": [{\"text\": 1}]}, \"answerKey\": \"A\"}",
         "a choice has no \"text\" or no \"label\""},
        {"{\"context\": \"a\", \"endings\": [1], \"label\": 0}", "an ending is not a text"},
        {"{\"context\": \"a\", \"endings\": [\"b\"], \"label\": -1}", "does not say"},
        {"{\"context\": \"a\", \"endings\": [\"b\"], \"label\": \"99999999999999999999\"}",
         "does not say"},
        {"{\"context\": \"a\", \"endings\": [\"b\"], \"label\": \"\"}", "does not say"},
        {"{\"context\": \"a\", \"endings\": [\"b\"]}", "does not say"},
        {"{\"context\": \"a\", \"context\": \"b\"}", ":1: duplicate object key"},
        {"{\"context\": \"a\"", ":1: "},
        {"[]", "holds no questions"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct choice_set set;
        mneme_error error = {0};
        temporary_write("choices", bad[i].text, strlen(bad[i].text));
        assert_refused(choices_load(temporary_path("choices"), &set, &error), &error,
                       MNEME_BAD_INPUT, "/choices", bad[i].cause);
        choices_free(&set);
    }
}
END_TEST

START_TEST(arc_challenge) {
    char path[512];
    struct choice_set set;
    mneme_error error = {0};
    size_t n_endings = 0;
    if (!data_set("arc_challenge", "questions/arc_challenge_test.jsonl", path)) return;
    assert_ok(choices_load(path, &set, &error), &error);
    ck_assert_uint_eq(set.n, 1172);
    for (size_t i = 0; i < set.n; i++) n_endings += set.questions[i].endings.n;
    ck_assert_uint_eq(n_endings, 4687); /* by Python's json */
    choices_free(&set);
}
END_TEST

Suite *choices_suite(void);
Suite *choices_suite(void) {
    Suite *suite = suite_create("choices");
    TCase *tests = tcase_create("choices");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, layouts_of_arc);
    tcase_add_test(tests, layouts_of_hellaswag);
    tcase_add_test(tests, plain_layouts);
    tcase_add_test(tests, bad_records_are_refused);
    tcase_add_test(tests, arc_challenge);
    suite_add_tcase(suite, tests);
    return suite;
}
