/* Chats as tokens. chat_styles.json has the ids of transformers' apply_chat_template (5.24) with
 * the templates of SmolLM2-135M-Instruct, Llama 3, Llama 2, Mistral 7B Instruct 0.2 and 0.3 and
 * Zephyr, on the tokenizers of tests/tokenizers with the special tokens of those models; without
 * the token that starts a text, and without the line break after the last turn's end. */

#include "tokenizer/chat_style.h"

#include <jansson.h>

#include "base/text.h"
#include "tests/temporary.h"
#include "text/form.h"
#include "tokenizer/token_texts.h"

static json_t *cases;

static void read_cases(void) {
    temporary_make();
    cases = json_load_file("tests/tokenizer/chat_styles.json", 0, NULL);
    ck_assert_ptr_nonnull(cases);
}

static void free_cases(void) {
    json_decref(cases);
    temporary_remove();
}

/* A tokenizer of tests/tokenizers with these special tokens besides. */
static struct tokenizer *load(const char *file, const json_t *added) {
    char path[128];
    const char *text;
    json_t *id;
    snprintf(path, sizeof path, "tests/tokenizers/%s", file);
    json_t *root = json_load_file(path, 0, NULL);
    ck_assert_ptr_nonnull(root);
    json_object_foreach((json_t *)added, text, id) {
        json_t *token =
            json_pack("{s:O, s:s, s:b, s:b, s:b, s:b, s:b}", "id", id, "content", text, "special",
                      1, "normalized", 0, "lstrip", 0, "rstrip", 0, "single_word", 0);
        json_array_append_new(json_object_get(root, "added_tokens"), token);
    }
    ck_assert_int_eq(json_dump_file(root, temporary_path("tokenizer.json"), 0), 0);
    json_decref(root);
    struct tokenizer *tokenizer;
    mneme_error error = {0};
    assert_ok(tokenizer_load(temporary_path("tokenizer.json"), &tokenizer, &error), &error);
    return tokenizer;
}

/* The turns as a text with a byte for each; one that is open goes on with the assistant's. */
static char *text_of(const json_t *one) {
    struct text text = {0};
    size_t i;
    json_t *turn;
    json_array_foreach(json_object_get(one, "turns"), i, turn) {
        const char *role = json_string_value(json_array_get(turn, 0));
        int byte = *role == 's' ? FORM_SYSTEM : *role == 'u' ? FORM_USER : FORM_ASSISTANT;
        text_add(&text, "%c%s", byte, json_string_value(json_array_get(turn, 1)));
    }
    if (json_is_true(json_object_get(one, "open"))) text_add(&text, "%c", FORM_ASSISTANT);
    return text_take(&text);
}

static void check_ids(const char *what, const struct token_list *list, const json_t *ids) {
    size_t i = 0, n = json_array_size(ids);
    while (i < n && i < list->n && json_integer_value(json_array_get(ids, i)) == list->ids[i]) i++;
    ck_assert_msg(i == n && i == list->n, "%s: id %zu of %zu, not %zu", what, i, list->n, n);
}

START_TEST(writes_chats_as_the_models_templates_do) {
    size_t i;
    json_t *one;
    mneme_error error = {0};
    json_array_foreach(cases, i, one) {
        const char *name = json_string_value(json_object_get(one, "style"));
        struct tokenizer *tokenizer = load(json_string_value(json_object_get(one, "tokenizer")),
                                           json_object_get(one, "added"));
        const struct chat_style *style = NULL;
        const char *template = json_string_value(json_object_get(one, "template"));
        assert_ok(chat_style_find(tokenizer, template, &style, &error), &error);
        ck_assert_msg(style != NULL, "%s", name);
        ck_assert_str_eq(chat_style_name(style), name);
        char *text = text_of(one);
        struct token_list list = {0};
        const bool is_closed = !json_is_true(json_object_get(one, "open"));
        assert_ok(chat_style_encode(style, tokenizer, text, is_closed, &list, &error), &error);
        check_ids(name, &list, json_object_get(one, "ids"));
        int32_t end;
        assert_ok(chat_style_end(style, tokenizer, &end, &error), &error);
        if (is_closed) ck_assert_int_eq(list.ids[list.n - 1], end);
        token_list_free(&list);
        free(text);
        tokenizer_free(tokenizer);
    }
    ck_assert_uint_eq(i, 12);
}
END_TEST

/* What is said in a chat is data: a special token in it stays text. */
START_TEST(what_is_said_has_no_special_tokens) {
    struct tokenizer *tokenizer = load("smollm.json", NULL);
    const struct chat_style *style;
    struct token_list list = {0}, plain = {0};
    mneme_error error = {0};
    assert_ok(chat_style_find(tokenizer, NULL, &style, &error), &error);
    ck_assert_str_eq(chat_style_name(style), "ChatML");
    static const char said[] =
        "\xfc"
        "who is <|im_end|>?";
    assert_ok(chat_style_encode(style, tokenizer, said, false, &list, &error), &error);
    size_t n_special = 0;
    for (size_t i = 0; i < list.n; i++) n_special += list.ids[i] <= 2;
    ck_assert_uint_eq(n_special, 1);
    list.n = 0;
    assert_ok(chat_style_encode(NULL, tokenizer, "<|im_end|>", true, &list, &error), &error);
    assert_ok(tokenizer_encode_data(tokenizer, "<|im_end|>", 10, &plain, &error), &error);
    ck_assert_uint_eq(list.n, plain.n);
    token_list_free(&list);
    token_list_free(&plain);
    tokenizer_free(tokenizer);
}
END_TEST

static const char *style_of(struct tokenizer *tokenizer) {
    const struct chat_style *style;
    mneme_error error = {0};
    assert_ok(chat_style_of_folder(tokenizer, temporary_folder, &style, &error), &error);
    return style == NULL ? "none" : chat_style_name(style);
}

START_TEST(a_folder_tells_its_style) {
    static const char other[] =
        "{\"chat_template\": \"{{ '<|user|>' + '<|assistant|>' + '<|end|>' }}\"}";
    static const char named[] =
        "{\"chat_template\": [{\"name\": \"tools\", \"template\": \"\"}, {\"name\": \"default\", "
        "\"template\": \"'<|im_start|>' '<|im_end|>'\"}]}";
    static const char null[] = "{\"chat_template\": null, \"eos_token\": \"</s>\"}";
    struct tokenizer *tokenizer = load("smollm.json", NULL), *plain = load("gpt2.json", NULL);
    ck_assert_str_eq(style_of(tokenizer), "ChatML"); /* by its tokens */
    ck_assert_str_eq(style_of(plain), "none");
    temporary_write("tokenizer_config.json", other, strlen(other));
    ck_assert_str_eq(style_of(tokenizer), "none"); /* a template that is not known */
    temporary_write("tokenizer_config.json", named, strlen(named));
    ck_assert_str_eq(style_of(tokenizer), "ChatML");
    ck_assert_str_eq(style_of(plain), "none"); /* it has no token that ends a turn */
    temporary_write("tokenizer_config.json", null, strlen(null));
    ck_assert_str_eq(style_of(tokenizer), "ChatML");
    temporary_write("chat_template.jinja", other, strlen(other));
    ck_assert_str_eq(style_of(tokenizer), "none"); /* the file counts before the key */
    temporary_write("tokenizer_config.json", "{\"chat", 6);
    unlink(temporary_path("chat_template.jinja"));
    mneme_error error = {0};
    const struct chat_style *style;
    assert_refused(chat_style_of_folder(tokenizer, temporary_folder, &style, &error), &error,
                   MNEME_BAD_INPUT, "tokenizer_config.json", "");
    tokenizer_free(tokenizer);
    tokenizer_free(plain);
}
END_TEST

/* Texts as a model writes them: what stands around, what is cut, what is left out. */
START_TEST(texts_are_framed_and_cut) {
    struct tokenizer *tokenizer = load("smollm.json", NULL);
    char plain[] = "abc",
         chat[] =
             "\xfcwho?\xfd"
             "me",
         longer[] = "abcdefghijklmnop";
    char *const texts[] = {plain, chat, longer};
    const int32_t before[] = {7, 8};
    struct text_manner manner = {before, 2, 0, NULL, 6};
    struct token_texts made = {0};
    struct texts_lost lost = {0};
    mneme_error error = {0};
    assert_ok(token_texts_add_in(&made, tokenizer, &manner, 3, texts, &lost, &error), &error);
    ck_assert_uint_eq(made.n, 2);
    ck_assert_uint_eq(lost.n_chats, 1);
    ck_assert_uint_eq(lost.n_cut, 1);
    ck_assert_uint_eq(made.lengths[1], 6);
    ck_assert_int_eq(made.tokens.ids[0], 7);
    ck_assert_int_eq(made.tokens.ids[1], 8);
    ck_assert_int_eq(made.tokens.ids[made.starts[0] + made.lengths[0]],
                     0); /* the end is a target */
    assert_ok(chat_style_find(tokenizer, NULL, &manner.style, &error), &error);
    manner.max_inputs = 100;
    assert_ok(token_texts_add_in(&made, tokenizer, &manner, 2, texts, &lost, &error), &error);
    ck_assert_uint_eq(made.n, 4);
    ck_assert_uint_eq(lost.n_chats, 1);
    ck_assert_int_eq(made.tokens.ids[made.starts[3] + made.lengths[3]], 2); /* <|im_end|> */
    assert_ok(token_texts_add_asked(&made, tokenizer, &manner, "\xfcwho?\xfd", &error), &error);
    ck_assert_uint_eq(made.starts[4] + made.lengths[4] + 1, made.tokens.n);
    token_texts_free(&made);
    tokenizer_free(tokenizer);
}
END_TEST

Suite *chat_style_suite(void) {
    Suite *suite = suite_create("chat_style");
    TCase *chats = tcase_create("chats");
    tcase_add_checked_fixture(chats, read_cases, free_cases);
    tcase_add_test(chats, writes_chats_as_the_models_templates_do);
    tcase_add_test(chats, what_is_said_has_no_special_tokens);
    tcase_add_test(chats, a_folder_tells_its_style);
    tcase_add_test(chats, texts_are_framed_and_cut);
    suite_add_tcase(suite, chats);
    return suite;
}
