/* Packed text: what is written, how it is cut, and what is refused. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "corpus/packed_text.h"
#include "tests/assertions.h"
#include "tests/temporary.h"

static const struct packed_text_origin origin = {"\"texts\"", "tokenizer"};
static struct tokenizer *tokenizer;

/* Ids are 1 + byte, but for the end of text, 0: there are no merges. */
static void set_up(void) {
    const char *const text = "x";
    mneme_error error = {0};
    temporary_make();
    assert_ok(tokenizer_train(&text, 1, TOKENIZER_MIN_TOKENS, &tokenizer, &error), &error);
    temporary_write("texts",
                    "{\"text\": \"ab\"}\n{\"text\": \"\"}\n{\"text\": \"<|end_of_text|>\"}\n"
                    "{\"text\": \"c\"}\n",
                    strlen("{\"text\": \"ab\"}\n{\"text\": \"\"}\n{\"text\": \"<|end_of_text|>\"}\n"
                           "{\"text\": \"c\"}\n"));
}

static void tear_down(void) {
    tokenizer_free(tokenizer);
    temporary_remove();
}

static mneme_status make(mneme_error *error) {
    const char *source = temporary_path("texts");
    return packed_text_make(temporary_path("packed"), &source, 1, tokenizer, &origin, NULL, error);
}

static mneme_status open_packed(struct packed_text *text, mneme_error *error) {
    return packed_text_open(text, temporary_path("packed"), &origin,
                            tokenizer_vocab_size(tokenizer), 8, error);
}

/* What looks like the end of text in a document is its characters. */
START_TEST(documents_stand_between_ends) {
    struct packed_text text;
    mneme_error error = {0};
    int32_t wanted[64] = {0, 1 + 'a', 1 + 'b', 0};
    size_t n = 4;
    for (const char *c = "<|end_of_text|>"; *c != '\0'; c++) wanted[n++] = 1 + *c;
    wanted[n++] = 0;
    wanted[n++] = 1 + 'c';
    wanted[n++] = 0;
    assert_ok(make(&error), &error);
    assert_ok(open_packed(&text, &error), &error);
    ck_assert_uint_eq(text.n_tokens, n);
    ck_assert_mem_eq(text.tokens, wanted, n * sizeof *wanted);
    ck_assert_uint_eq(text.n_documents, 3);
    ck_assert_uint_eq(text.n_empty, 1);
    ck_assert_uint_eq(text.n_passed_over, 0);
    packed_text_close(&text);
}
END_TEST

/* Whether one token is both start and end, or there are two; a document may have no token. */
START_TEST(documents_are_found) {
    const int32_t one[] = {0, 7, 8, 0, 0, 9, 0}, two[] = {1, 7, 8, 0, 1, 0, 1, 9, 0};
    struct packed_text texts[] = {{.tokens = one, .n_tokens = 7}, {.tokens = two, .n_tokens = 9}};
    for (size_t i = 0; i < 2; i++) {
        size_t at = 0, n;
        ck_assert(packed_text_document(&texts[i], &at, &n));
        ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(texts[i].tokens[at], 7);
        at += n;
        ck_assert(packed_text_document(&texts[i], &at, &n));
        ck_assert_uint_eq(n, 0);
        ck_assert(packed_text_document(&texts[i], &at, &n));
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(texts[i].tokens[at], 9);
        at += n;
        ck_assert(!packed_text_document(&texts[i], &at, &n));
    }
}
END_TEST

/* 22 tokens are 21 inputs: 8, 8 and 5. */
START_TEST(sequences_cover_every_token_once) {
    struct packed_text text;
    mneme_error error = {0};
    assert_ok(make(&error), &error);
    assert_ok(open_packed(&text, &error), &error);
    for (size_t length = 1; length < 30; length++) {
        size_t covered = 0;
        text.sequence_length = length;
        for (size_t i = 0; i < packed_text_count(&text); i++) {
            size_t n;
            ck_assert_ptr_eq(packed_text_sequence(&text, i, &n), text.tokens + covered);
            ck_assert_uint_ge(n, 1);
            ck_assert_uint_le(n, length);
            covered += n;
        }
        ck_assert_uint_eq(covered, text.n_tokens - 1);
    }
    packed_text_close(&text);
}
END_TEST

/* However the documents are gathered: 9 MB of them, one of which is longer than a batch. */
START_TEST(long_corpora_are_the_same_tokens) {
    struct packed_text text;
    mneme_error error = {0};
    const size_t n_long = (size_t)5 << 20, n_short = 40000, n_file = n_short * 112 + n_long + 32;
    char *bytes = malloc(n_file), *at = bytes;
    for (size_t i = 0; i < n_short; i++) {
        at += sprintf(at, "{\"text\": \"%0100zu\"}", i);
        if (i != n_short / 2) continue;
        at += sprintf(at, "{\"text\": \"");
        memset(at, 'y', n_long);
        at += n_long;
        at += sprintf(at, "\"}");
    }
    temporary_write("texts", bytes, (size_t)(at - bytes));
    free(bytes);
    assert_ok(make(&error), &error);
    assert_ok(open_packed(&text, &error), &error);
    ck_assert_uint_eq(text.n_documents, n_short + 1);
    ck_assert_uint_eq(text.n_tokens, 1 + n_short * 101 + n_long + 1);
    size_t y = 1 + (n_short / 2 + 1) * 101;
    for (size_t i = 0; i < n_long; i++) ck_assert_int_eq(text.tokens[y + i], 1 + 'y');
    ck_assert_int_eq(text.tokens[y - 1], 0);
    ck_assert_int_eq(text.tokens[y + n_long], 0);
    const int32_t *last = text.tokens + text.n_tokens - 101;
    for (size_t i = 0; i < 100; i++) {
        ck_assert_int_eq(last[i], 1 + (i < 95 ? '0' : "39999"[i - 95]));
    }
    packed_text_close(&text);
}
END_TEST

START_TEST(nothing_to_pack_is_refused_and_leaves_nothing) {
    mneme_error error = {0};
    temporary_write("texts", "{\"text\": \" \"}", 13);
    assert_refused(make(&error), &error, MNEME_BAD_INPUT, "/texts: ", "no document has any text");
    temporary_write("texts", "{\"text\": \"a\"}\n{\"text\"", 21);
    assert_refused(make(&error), &error, MNEME_BAD_INPUT, "/texts:2: ", "");
    ck_assert_uint_eq(temporary_count(), 1);
}
END_TEST

static void refuse(const struct packed_text_origin *other, size_t vocab_size, const char *cause) {
    struct packed_text text;
    mneme_error error = {0};
    assert_refused(packed_text_open(&text, temporary_path("packed"), other, vocab_size, 8, &error),
                   &error, MNEME_BAD_INPUT, "/packed: ", cause);
}

START_TEST(another_origin_is_refused) {
    const struct packed_text_origin texts = {"\"others\"", "tokenizer"};
    const struct packed_text_origin tokenizers = {"\"texts\"", "another"};
    mneme_error error = {0};
    assert_ok(make(&error), &error);
    refuse(&texts, 300, "was made from other text");
    refuse(&tokenizers, 300, "by another tokenizer");
    refuse(&origin, 1 + 'c', "tokens[5] is 125");
}
END_TEST

/* The seal tells of any changed byte; a file that was cut is none. */
START_TEST(damage_is_seen) {
    struct safetensors file;
    mneme_error error = {0};
    char *bytes;
    size_t length;
    assert_ok(make(&error), &error);
    const char *path = temporary_path("packed");
    assert_ok(file_read(path, SIZE_MAX / 2, &bytes, &length, &error), &error);
    assert_ok(safetensors_open(&file, path, &error), &error);
    assert_ok(safetensors_check_seal(&file, &error), &error);
    safetensors_close(&file);
    temporary_write("packed", bytes, length - 4);
    refuse(&origin, 300, "");
    bytes[length - 3] ^= 1;
    temporary_write("packed", bytes, length);
    assert_ok(safetensors_open(&file, path, &error), &error);
    assert_refused(safetensors_check_seal(&file, &error), &error, MNEME_BAD_INPUT,
                   "/packed: ", "is damaged");
    safetensors_close(&file);
    free(bytes);
}
END_TEST

Suite *packed_text_suite(void) {
    Suite *suite = suite_create("packed_text");
    TCase *tests = tcase_create("packed_text");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, documents_stand_between_ends);
    tcase_add_test(tests, documents_are_found);
    tcase_add_test(tests, sequences_cover_every_token_once);
    tcase_add_test(tests, long_corpora_are_the_same_tokens);
    tcase_add_test(tests, nothing_to_pack_is_refused_and_leaves_nothing);
    tcase_add_test(tests, another_origin_is_refused);
    tcase_add_test(tests, damage_is_seen);
    suite_add_tcase(suite, tests);
    return suite;
}
