/* Texts of data and prompts as tokens. */

#include "tests/temporary.h"
#include "tokenizer/token_texts.h"

/* What looks like a special token: ids as a prompt and as data, by `tokenizers` 0.23.3 without and
 * with `encode_special_tokens`; -1 ends them. The last token of smollm's text is an added word, not
 * a special token: it stays one. */
static const struct {
    const char *file, *text;
    int32_t prompt[12], data[48];
} cases[] = {
    {"gpt2",
     "the <|endoftext|>a <|endoftext|>b",
     {413, 221, 0, 65, 221, 0, 66, -1},
     {413, 221, 28, 92, 69, 78, 68, 79, 70, 84, 69, 88, 84, 92, 30, 65,
      221, 28,  92, 69, 78, 68, 79, 70, 84, 69, 88, 84, 92, 30, 66, -1}},
    {"llama3",
     "the <|begin_of_text|>a <|eot_id|>b",
     {87, 75, 72, 224, 0, 68, 224, 3, 69, -1},
     {87, 75, 72, 224, 31,  95, 69, 72, 74, 76, 81, 66, 82, 73, 66, 87, 72, 91,
      87, 95, 33, 68,  224, 31, 95, 72, 82, 87, 66, 76, 71, 95, 33, 69, -1}},
    {"smollm",
     "the <|endoftext|>a \xc3\xa9t\xc3\xa9"
     "b",
     {295, 223, 0, 67, 223, 330, 68, -1},
     {295, 223, 30, 94, 71, 80, 70, 81, 72, 86, 71, 90, 86, 94, 32, 67, 223, 330, 68, -1}},
};

static void check_ids(const char *file, const int32_t *found, size_t n, const int32_t *expected) {
    size_t i = 0;
    while (i < n && found[i] == expected[i]) i++;
    ck_assert_msg(i == n && expected[n] == -1, "%s: id %zu", file, i);
}

START_TEST(data_has_no_special_tokens) {
    char path[64];
    mneme_error error;
    struct tokenizer *tokenizer;
    struct token_texts texts = {0};
    char *text = strdup(cases[_i].text);
    snprintf(path, sizeof path, "tests/tokenizers/%s.json", cases[_i].file);
    assert_ok(tokenizer_load(path, &tokenizer, &error), &error);
    assert_ok(token_texts_add_prompt(&texts, tokenizer, text, &error), &error);
    check_ids("prompt", texts.tokens.ids + 1, texts.tokens.n - 1, cases[_i].prompt);
    texts.tokens.n = 0;
    assert_ok(token_texts_add_question(&texts, tokenizer, text, &error), &error);
    check_ids("question", texts.tokens.ids + 1, texts.tokens.n - 1, cases[_i].data);
    texts.tokens.n = 0;
    assert_ok(token_texts_add(&texts, tokenizer, 1, &text, 100, &error), &error);
    ck_assert_int_eq(texts.tokens.ids[texts.tokens.n - 1], tokenizer_end_of_text(tokenizer));
    check_ids("text", texts.tokens.ids + 1, texts.tokens.n - 2, cases[_i].data);
    free(text);
    token_texts_free(&texts);
    tokenizer_free(tokenizer);
}
END_TEST

/* A tokenizer that is trained on such a text learns it as text. */
START_TEST(training_reads_data) {
    static const char *const texts[] = {"<|end_of_text|> <|end_of_text|>"};
    struct tokenizer *tokenizer;
    mneme_error error;
    struct token_list list = {0};
    assert_ok(tokenizer_train(texts, 1, 300, &tokenizer, &error), &error);
    ck_assert_uint_gt(tokenizer_vocab_size(tokenizer), TOKENIZER_MIN_TOKENS);
    assert_ok(tokenizer_encode_data(tokenizer, texts[0], strlen(texts[0]), &list, &error), &error);
    for (size_t i = 0; i < list.n; i++) ck_assert_int_ne(list.ids[i], 0);
    char *decoded;
    assert_ok(tokenizer_decode(tokenizer, list.ids, list.n, &decoded, NULL, &error), &error);
    ck_assert_str_eq(decoded, texts[0]);
    free(decoded);
    token_list_free(&list);
    tokenizer_free(tokenizer);
}
END_TEST

Suite *token_texts_suite(void) {
    Suite *suite = suite_create("token_texts");
    TCase *tests = tcase_create("token_texts");
    tcase_add_loop_test(tests, data_has_no_special_tokens, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tests, training_reads_data);
    suite_add_tcase(suite, tests);
    return suite;
}
