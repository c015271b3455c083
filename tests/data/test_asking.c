#include "data/asking.h"

#include "tests/assertions.h"
#include "tests/temporary.h"
#include "text/form.h"

static void check_prompt(const char *form, size_t n_shots, const char *expected) {
    static const struct shot shots[] = {{"who?", "Ann"}, {"where?", "in\nhere"}};
    struct asking asking;
    char *prompt;
    mneme_error error = {0};
    assert_ok(asking_read(form, "x", &asking, &error), &error);
    assert_ok(asking_prompt(&asking, n_shots, shots, "when?", &prompt, &error), &error);
    ck_assert_str_eq(prompt, expected);
    free(prompt);
    asking_free(&asking);
}

START_TEST(asks_after_examples) {
    check_prompt(NULL, 0, "Q: when? A:");
    check_prompt(NULL, 1, "Q: who? A: Ann\n\nQ: when? A:");
    check_prompt("Q: {question}\\nA:", 0, "Q: when?\nA:");
    check_prompt("Q: {question}\nA:", 2,
                 "Q: who?\nA: Ann\n\nQ: where?\nA: in\nhere\n\nQ: when?\nA:");
    check_prompt("{question}\n", 1, "who?\nAnn\n\nwhen?\n");
    check_prompt("{question} = {answer};", 1, "who? = Ann;when? =");
    check_prompt("Answer.\n{shots}{question}\\{{answer}\\}\n", 1, "Answer.\nwho?{Ann}\nwhen?{");
    check_prompt("Answer.\n{shots}{question}", 0, "Answer.\nwhen?");
    check_prompt("{question}    {answer}", 1, "who?    Annwhen?");
}
END_TEST

/* lm-evaluation-harness 0.4, nq_open: description, doc_to_text, fewshot_delimiter. */
START_TEST(asks_as_lm_eval_does) {
    static const struct shot shots[] = {{"who wrote it", "Ann"}};
    struct asking asking;
    char *prompt;
    mneme_error error = {0};
    assert_ok(asking_read("Answer these questions:\\n\\n{shots}Q: {question}?\\nA: {answer}\\n",
                          "x", &asking, &error),
              &error);
    assert_ok(asking_prompt(&asking, 1, shots, "when was it", &prompt, &error), &error);
    ck_assert_str_eq(prompt,
                     "Answer these questions:\n\nQ: who wrote it?\nA: Ann\nQ: when was it?\nA:");
    ck_assert_str_eq(asking.lead, " ");
    free(prompt);
    asking_free(&asking);
}
END_TEST

START_TEST(asks_in_chats) {
    check_prompt("{user}{question}{assistant}", 1,
                 "\xfcwho?\xfd"
                 "Ann\xfcwhen?\xfd");
    check_prompt("{system}Be short.{shots}{user}{question}{assistant}{answer}.", 1,
                 "\xfb"
                 "Be short.\xfcwho?\xfd"
                 "Ann.\xfcwhen?\xfd");
    check_prompt("{shots}{user}{question}{assistant}It is {answer}", 0, "\xfcwhen?\xfdIt is");
}
END_TEST

START_TEST(bad_prompts_are_refused) {
    static const struct {
        const char *form, *cause;
    } bad[] = {
        {"Q:", "needs {question}, once"},
        {"", "needs {question}, once"},
        {"{question} {question}", "needs {question}, once"},
        {"{answer} {question}", "{answer} before {question}"},
        {"{question} {answer} {answer}", "{answer} more than once"},
        {"{question} {shots}", "{shots} after {question}"},
        {"{shots}{shots}{question}", "{shots} more than once"},
        {"{name} {question}", "begins no place"},
        {"{question} \\q", "has a \\ before"},
        {"a{user}{question}{assistant}", "before its first turn"},
        {"{user}{question}", "no {assistant} after {question}"},
        {"{user}{question}{answer}{assistant}", "no {assistant} after {question}"},
        {"{question} \xff", "is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct asking asking;
        mneme_error error = {0};
        assert_refused(asking_read(bad[i].form, "recipe.json: `evaluate.prompt`", &asking, &error),
                       &error, MNEME_BAD_INPUT, "recipe.json: `evaluate.prompt`: ", bad[i].cause);
    }
}
END_TEST

Suite *asking_suite(void) {
    Suite *suite = suite_create("asking");
    TCase *prompts = tcase_create("prompts");
    tcase_add_test(prompts, asks_after_examples);
    tcase_add_test(prompts, asks_as_lm_eval_does);
    tcase_add_test(prompts, asks_in_chats);
    tcase_add_test(prompts, bad_prompts_are_refused);
    suite_add_tcase(suite, prompts);
    return suite;
}
