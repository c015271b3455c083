/* How models write texts, by their folders. smollm's tokens 0, 1 and 2 are <|endoftext|>,
 * <|im_start|> and <|im_end|>; its file says nothing of what stands before a text. */

#include "generate/model_texts.h"

#include "tests/temporary.h"

static struct tokenizer *load(const char *name) {
    char path[64];
    struct tokenizer *tokenizer;
    mneme_error error = {0};
    snprintf(path, sizeof path, "tests/tokenizers/%s.json", name);
    assert_ok(tokenizer_load(path, &tokenizer, &error), &error);
    return tokenizer;
}

static void write_text(const char *name, const char *text) {
    temporary_write(name, text, strlen(text));
}

static struct model_texts open_texts(struct tokenizer *tokenizer, const char *folder) {
    struct model_texts texts;
    mneme_error error = {0};
    assert_ok(model_texts_open(&texts, tokenizer, folder, &error), &error);
    return texts;
}

static size_t count(const struct token_list *list, int32_t id) {
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) n += list->ids[i] == id;
    return n;
}

START_TEST(of_an_imported_model) {
    struct tokenizer *tokenizer = load("smollm");
    write_text("config.json", "{\"model_type\": \"mneme\"}");
    write_text("generation_config.json", "{\"bos_token_id\": 1, \"eos_token_id\": [2, 5]}");
    struct model_texts texts = open_texts(tokenizer, temporary_folder);
    ck_assert_uint_eq(texts.before.n, 0);
    ck_assert_int_eq(texts.end, 0);
    ck_assert_str_eq(chat_style_name(texts.style), "ChatML");
    struct token_list stops = {0};
    mneme_error error = {0};
    assert_ok(model_texts_answer_ends(&texts, tokenizer, &stops, &error), &error);
    static const int32_t ends[] = {0, 2, 5, 201};
    for (size_t i = 0; i < 4; i++) ck_assert_uint_ge(count(&stops, ends[i]), 1);
    ck_assert_uint_eq(count(&stops, 1), 0);
    const struct text_manner manner = model_texts_manner(&texts, 7);
    ck_assert_uint_eq(manner.max_inputs, 7);
    ck_assert_ptr_eq(manner.style, texts.style);
    token_list_free(&stops);
    model_texts_close(&texts);
    tokenizer_free(tokenizer);
}
END_TEST

/* A folder that says nothing: the tokenizer's own tokens. */
START_TEST(of_a_folder_that_does_not_say) {
    struct tokenizer *tokenizer = load("llama3");
    write_text("config.json", "{\"model_type\": \"mneme\"}");
    struct model_texts texts = open_texts(tokenizer, temporary_folder);
    ck_assert_uint_eq(texts.before.n, 1);
    ck_assert_int_eq(texts.before.ids[0], 0);
    ck_assert_ptr_null(texts.style); /* this file has not the tokens of its chats */
    model_texts_close(&texts);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(of_a_model_trained_here) {
    struct tokenizer *tokenizer = load("smollm");
    struct model_texts texts = open_texts(tokenizer, NULL);
    ck_assert_uint_eq(texts.before.n, 1);
    ck_assert_int_eq(texts.before.ids[0], tokenizer_start_of_text(tokenizer));
    ck_assert_int_eq(texts.end, tokenizer_end_of_text(tokenizer));
    ck_assert_ptr_null(texts.style);
    model_texts_close(&texts);
    mneme_error error = {0};
    assert_refused(model_texts_open(&texts, tokenizer, temporary_path("none"), &error), &error,
                   MNEME_BAD_INPUT, "none/config.json", "");
    tokenizer_free(tokenizer);
}
END_TEST

Suite *model_texts_suite(void) {
    Suite *suite = suite_create("model_texts");
    TCase *tests = tcase_create("model_texts");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, of_an_imported_model);
    tcase_add_test(tests, of_a_folder_that_does_not_say);
    tcase_add_test(tests, of_a_model_trained_here);
    suite_add_tcase(suite, tests);
    return suite;
}
