#include "generate/answer_ends.h"

#include <check.h>
#include <stdlib.h>

#include "tests/assertions.h"

static bool has(const struct token_list *list, int32_t id) {
    size_t i = 0;
    while (i < list->n && list->ids[i] != id) i++;
    return i < list->n;
}

/* smollm has one token that begins with a line break, 201; 0 ends texts and 2 turns. */
START_TEST(tokens_that_end_answers) {
    struct tokenizer *tokenizer;
    const struct chat_style *style;
    struct token_list stops = {0};
    mneme_error error = {0};
    assert_ok(tokenizer_load("tests/tokenizers/smollm.json", &tokenizer, &error), &error);
    assert_ok(answer_ends(tokenizer, NULL, &stops, &error), &error);
    ck_assert(has(&stops, 0));
    ck_assert(has(&stops, 201));
    ck_assert(!has(&stops, 2));
    for (size_t i = 0; i < tokenizer_vocab_size(tokenizer); i++) {
        int32_t id = (int32_t)i;
        char *text;
        assert_ok(tokenizer_decode(tokenizer, &id, 1, &text, NULL, &error), &error);
        if (id != tokenizer_end_of_text(tokenizer)) {
            ck_assert_int_eq(has(&stops, id), text[0] == '\n');
        }
        free(text);
    }
    assert_ok(chat_style_find(tokenizer, NULL, &style, &error), &error);
    stops.n = 0;
    assert_ok(answer_ends(tokenizer, style, &stops, &error), &error);
    ck_assert(has(&stops, 0));
    ck_assert(has(&stops, 2));
    token_list_free(&stops);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(an_answer_is_a_line) {
    ck_assert_uint_eq(answer_length("abc", 3), 3);
    ck_assert_uint_eq(answer_length("ab\nc\n", 5), 2);
    ck_assert_uint_eq(answer_length("ab\nc", 2), 2);
    ck_assert_uint_eq(answer_length("\nab", 3), 0);
    ck_assert_uint_eq(answer_length("a\0b\n", 4), 3);
    ck_assert_uint_eq(answer_length("", 0), 0);
}
END_TEST

Suite *answer_ends_suite(void) {
    Suite *suite = suite_create("answer_ends");
    TCase *tests = tcase_create("answer_ends");
    tcase_add_test(tests, tokens_that_end_answers);
    tcase_add_test(tests, an_answer_is_a_line);
    suite_add_tcase(suite, tests);
    return suite;
}
