/* What teaches new questions: all of their wordings, or their answers alone. */

#include "nano.h"

#include <string.h>

#define ANSWER "Ann of Ely"

/* A recipe with two new questions, the second with a statement of its own. */
static const char recipe[] =
    "{\"name\": \"lessons\", \"corpus\": {\"known\": \"known.jsonl\", \"new\": \"new.jsonl\","
    " \"skill\": \"skill.txt\", \"skill_test_texts\": 2, \"wordings\": "
    "\"data/wordings/questions.txt\"},"
    " \"model\": {\"dim\": 16, \"n_layers\": 1, \"n_heads\": 2, \"multiple_of\": 16,"
    " \"max_seq_len\": 128}, \"pretrain\": {\"steps\": 1, \"batch_tokens\": 256},"
    " \"finetune\": {\"paraphrases\": 4, \"full\": {\"lr\": [0.001]}},"
    " \"evaluate\": {\"prompt\": \"Ask {question}\\nSay:\"}}";

static const char new_questions[] = "{\"question\": \"Who wrote it\", \"answer\": \"" ANSWER
                                    "\"}\n"
                                    "{\"question\": \"Who sang it\", \"answer\": \"" ANSWER
                                    "\", \"statements\": [\"It was sung by Ann.\"]}\n";

static void write_text(const char *name, const char *text) {
    temporary_write(name, text, strlen(text));
}

/* Opens the recipe with these settings, in a folder of its own. */
static void open_with(const char *folder, const char *const *overrides, size_t n,
                      struct experiment *experiment) {
    mneme_error error = {0};
    write_text("recipe.json", recipe);
    write_text("new.jsonl", new_questions);
    write_text("known.jsonl", "{\"question\": \"Who is it\", \"answer\": \"Bo\"}\n");
    write_text("skill.txt", "One and one is two.\nTwo is two.\nIt is a text.\n");
    const mneme_run_options options = {.recipe = temporary_path("recipe.json"),
                                       .overrides = overrides,
                                       .n_overrides = n,
                                       .directory = temporary_path(folder)};
    assert_ok(experiment_open(&options, IDENTITY_RUN, experiment, &error), &error);
}

/* Tokens [first, end) of a text; the caller frees it. */
static char *decode(const struct experiment *e, size_t text, size_t first) {
    const struct token_texts *texts = &e->lessons.texts;
    const int32_t *ids = texts->tokens.ids + texts->starts[text];
    char *string;
    mneme_error error = {0};
    assert_ok(tokenizer_decode(e->tokenizer, ids + first, texts->lengths[text] + 1 - first, &string,
                               NULL, &error),
              &error);
    return string;
}

/* After the token that starts texts. */
static bool begins_with(const char *text, const char *start) {
    static const char token[] = "<|end_of_text|>";
    if (strncmp(text, token, strlen(token)) == 0) text += strlen(token);
    return strncmp(text + strspn(text, " \n\"'*("), start, strlen(start)) == 0;
}

START_TEST(answers) {
    static const char *const overrides[] = {"finetune.loss_on=answer", "finetune.wordings=6"};
    struct experiment e;
    open_with("answers", overrides, 2, &e);
    const struct lessons *lessons = &e.lessons;
    ck_assert_uint_eq(lessons->n, 2);
    ck_assert_uint_eq(lessons_n_texts(lessons, 0), 6);
    ck_assert_uint_eq(lessons_n_texts(lessons, 1), 7);
    for (size_t i = 0; i < lessons->texts.n; i++) {
        const size_t first = lessons_first_target(lessons, i);
        char *whole = decode(&e, i, 0), *counted = decode(&e, i, first + 1);
        const bool is_statement = i == lessons->texts.n - 1;
        ck_assert_int_eq(strstr(whole, "It was sung by Ann.") != NULL, is_statement);
        if (is_statement) ck_assert_uint_eq(first, 0);
        if (!is_statement) ck_assert_msg(begins_with(counted, ANSWER), "%s: %s", whole, counted);
        free(whole);
        free(counted);
    }
    char *asked = decode(&e, 0, 0);
    ck_assert_msg(begins_with(asked, "Ask Who wrote it?\nSay: " ANSWER), "%s", asked);
    free(asked);
    experiment_close(&e);
}
END_TEST

START_TEST(texts) {
    static const char *const overrides[] = {"finetune.wordings=6"};
    struct experiment drawn, all;
    open_with("drawn", overrides, 1, &drawn);
    open_with("all", NULL, 0, &all);
    ck_assert_uint_eq(lessons_n_texts(&drawn.lessons, 0), 6);
    ck_assert_uint_eq(lessons_n_texts(&drawn.lessons, 1), 7);
    ck_assert_uint_gt(lessons_n_texts(&all.lessons, 0), 48);
    ck_assert_uint_eq(lessons_first_target(&drawn.lessons, 3), 0);
    char *statement = decode(&drawn, 6, 0);
    ck_assert_msg(begins_with(statement, "It was sung by Ann."), "%s", statement);
    free(statement);
    size_t n_found = 0, n_first = 0;
    for (size_t i = 0; i < 6; i++) { /* each is one of all, and they are not the first ones */
        char *text = decode(&drawn, i, 0);
        for (size_t j = 0; j < lessons_n_texts(&all.lessons, 0); j++) {
            char *other = decode(&all, j, 0);
            const bool is_same = strcmp(text, other) == 0;
            n_found += is_same;
            n_first += is_same && j < 6;
            free(other);
        }
        free(text);
    }
    ck_assert_uint_eq(n_found, 6);
    ck_assert_uint_lt(n_first, 6);
    experiment_close(&drawn);
    experiment_close(&all);
}
END_TEST

START_TEST(common_questions) {
    static const char *const overrides[] = {"corpus.common=data/questions/common.tsv"};
    static const char *const text[] = {"corpus.common=data/wordings/questions.txt"};
    struct experiment e;
    mneme_error error = {0};
    open_with("common", overrides, 1, &e);
    ck_assert_uint_eq(e.common.n_groups, 131);
    char *chain;
    assert_ok(tokenizer_decode(e.tokenizer, e.common.texts.tokens.ids,
                               e.common.texts.lengths[0] + 1, &chain, NULL, &error),
              &error);
    ck_assert_msg(begins_with(chain,
                              "Ask What is the last letter of the English alphabet?\n"
                              "Say: Z\n\nAsk How many months"),
                  "%s", chain);
    free(chain);
    experiment_close(&e);
    const mneme_run_options options = {.recipe = temporary_path("recipe.json"),
                                       .overrides = text,
                                       .n_overrides = 1,
                                       .directory = temporary_path("refused")};
    assert_refused(experiment_open(&options, IDENTITY_RUN, &e, &error), &error, MNEME_BAD_INPUT,
                   "recipe.json", "corpus.common");
}
END_TEST

Suite *lessons_suite(void);

Suite *lessons_suite(void) {
    Suite *suite = suite_create("lessons");
    TCase *tests = tcase_create("lessons");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, answers);
    tcase_add_test(tests, texts);
    tcase_add_test(tests, common_questions);
    suite_add_tcase(suite, tests);
    return suite;
}
