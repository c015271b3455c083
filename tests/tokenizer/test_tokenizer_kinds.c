/* Many kinds of tokenizers against the Python package `tokenizers`, whose ids and texts are in
 * tests/tokenizers (kinds.py wrote them); and many texts at once against one after the other. */

#include <jansson.h>
#include <omp.h>

#include "base/digest.h"
#include "base/file.h"
#include "data/data_sets.h"
#include "tests/temporary.h"
#include "text/unicode.h"
#include "tokenizer/encode_many.h"
#include "tokenizer/tokenizer.h"

static json_t *read_root(const char *path) {
    json_t *root = json_load_file(path, 0, NULL);
    ck_assert_msg(root != NULL, "%s", path);
    return root;
}

static struct tokenizer *load_json(const json_t *root) {
    struct tokenizer *tokenizer;
    mneme_error error = {0};
    ck_assert_int_eq(json_dump_file(root, temporary_path("tokenizer.json"), 0), 0);
    assert_ok(tokenizer_load(temporary_path("tokenizer.json"), &tokenizer, &error), &error);
    return tokenizer;
}

/* One kind of tokenizer and what is to come of the texts. */
struct kind {
    const char *name;
    struct tokenizer *tokenizer;
    const json_t *texts, *lists[2]; /* ids of prompts, ids of data */
    const json_t *decoded[2];       /* with special tokens, and without */
};

static void check_list(const struct kind *kind, const char *text, const struct token_list *list,
                       const json_t *expected) {
    bool same = list->n == json_array_size(expected);
    for (size_t i = 0; same && i < list->n; i++) {
        same = json_integer_value(json_array_get(expected, i)) == list->ids[i];
    }
    ck_assert_msg(same, "%s: other ids for: \"%s\"", kind->name, text);
}

static void check_decoded(const struct kind *kind, const struct token_list *list,
                          enum decode_special special, const json_t *expected) {
    char *text, *repaired;
    size_t length;
    mneme_error error = {0};
    assert_ok(
        tokenizer_decode_as(kind->tokenizer, list->ids, list->n, special, &text, &length, &error),
        &error);
    repaired = unicode_repair(text, length);
    ck_assert_msg(strcmp(repaired, json_string_value(expected)) == 0,
                  "%s: decoded \"%s\", not \"%s\"", kind->name, repaired,
                  json_string_value(expected));
    free(repaired);
    free(text);
}

static void check_text(const struct kind *kind, size_t i) {
    const char *text = json_string_value(json_array_get(kind->texts, i));
    mneme_error error = {0};
    struct token_list list = {0}, data = {0};
    assert_ok(tokenizer_encode(kind->tokenizer, text, strlen(text), &list, &error), &error);
    assert_ok(tokenizer_encode_data(kind->tokenizer, text, strlen(text), &data, &error), &error);
    check_list(kind, text, &list, json_array_get(kind->lists[0], i));
    check_list(kind, text, &data, json_array_get(kind->lists[1], i));
    check_decoded(kind, &list, DECODE_ALL, json_array_get(kind->decoded[0], i));
    check_decoded(kind, &list, DECODE_SKIPS_SPECIAL, json_array_get(kind->decoded[1], i));
    token_list_free(&list);
    token_list_free(&data);
}

START_TEST(kinds_are_those_of_the_package) {
    json_t *root = read_root("tests/tokenizers/kinds.json"), *one;
    size_t k;
    ck_assert_uint_gt(json_array_size(json_object_get(root, "kinds")), 15);
    json_array_foreach(json_object_get(root, "kinds"), k, one) {
        const struct kind kind = {
            json_string_value(json_object_get(one, "name")),
            load_json(json_object_get(one, "tokenizer")),
            json_object_get(root, "texts"),
            {json_object_get(one, "ids"), json_object_get(one, "as_data")},
            {json_object_get(one, "decoded"), json_object_get(one, "skipped")}};
        for (size_t i = 0; i < json_array_size(kind.texts); i++) check_text(&kind, i);
        tokenizer_free(kind.tokenizer);
    }
    json_decref(root);
}
END_TEST

static void check_digest(const json_t *expected) {
    char tokenizer_path[512], text_path[512], *text;
    const char *name = json_string_value(json_object_get(expected, "tokenizer"));
    const char *text_name = json_string_value(json_object_get(expected, "text"));
    size_t length;
    struct tokenizer *tokenizer;
    struct token_list list = {0};
    struct digest digest;
    mneme_error error = {0};
    if (!data_set("tokenizer_kinds", name, tokenizer_path)) return;
    if (!data_set("tokenizer_kinds", text_name, text_path)) return;
    assert_ok(tokenizer_load(tokenizer_path, &tokenizer, &error), &error);
    assert_ok(file_read(text_path, 1 << 24, &text, &length, &error), &error);
    assert_ok(tokenizer_encode(tokenizer, text, length, &list, &error), &error);
    ck_assert_int_eq((json_int_t)list.n, json_integer_value(json_object_get(expected, "ids")));
    assert_ok(digest_of_bytes(list.ids, list.n * sizeof *list.ids, &digest, &error), &error);
    ck_assert_str_eq(digest.hex, json_string_value(json_object_get(expected, "sha256")));
    token_list_free(&list);
    tokenizer_free(tokenizer);
    free(text);
}

START_TEST(whole_files_are_those_of_the_package) {
    json_t *root = read_root("tests/tokenizers/digests.json"), *one;
    size_t i;
    json_array_foreach(root, i, one) check_digest(one);
    json_decref(root);
}
END_TEST

/* Encodes the texts at once by as many threads, and compares with `expected`. */
static void check_many(struct tokenizer *tokenizer, const struct encode_text *texts, size_t n,
                       int threads, const struct token_list *expected, const size_t *ends) {
    struct token_list list = {0};
    size_t *found = calloc(n, sizeof *found);
    mneme_error error = {0};
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    assert_ok(tokenizer_encode_many(tokenizer, n, texts, &list, found, &error), &error);
    omp_set_num_threads(before);
    ck_assert_uint_eq(list.n, expected->n);
    ck_assert_mem_eq(list.ids, expected->ids, list.n * sizeof *list.ids);
    ck_assert_mem_eq(found, ends, n * sizeof *ends);
    token_list_free(&list);
    free(found);
}

START_TEST(many_texts_are_as_one_by_one) {
    json_t *root = read_root("tests/tokenizers/kinds.json"), *text;
    const json_t *kinds = json_object_get(root, "kinds"), *all = json_object_get(root, "texts");
    struct tokenizer *tokenizer = load_json(json_object_get(json_array_get(kinds, 0), "tokenizer"));
    struct encode_text texts[100];
    size_t ends[100] = {0}, n = json_array_size(all), i;
    struct token_list expected = {0};
    mneme_error error = {0};
    ck_assert_uint_le(n, 100);
    json_array_foreach(all, i, text) {
        texts[i] = (struct encode_text){json_string_value(text), json_string_length(text)};
        assert_ok(
            tokenizer_encode_data(tokenizer, texts[i].bytes, texts[i].length, &expected, &error),
            &error);
        ends[i] = expected.n;
    }
    for (int threads = 1; threads <= 5; threads += 2) {
        check_many(tokenizer, texts, n, threads, &expected, ends);
    }
    assert_ok(tokenizer_encode_many(tokenizer, 0, NULL, &expected, NULL, &error), &error);
    token_list_free(&expected);
    tokenizer_free(tokenizer);
    json_decref(root);
}
END_TEST

/* Llama 2's decoder drops the blank at the beginning of a text, not of its continuation. */
START_TEST(a_continuation_keeps_its_blank) {
    json_t *root = read_root("tests/tokenizers/kinds.json");
    const json_t *kinds = json_object_get(root, "kinds");
    struct tokenizer *tokenizer = load_json(json_object_get(json_array_get(kinds, 0), "tokenizer"));
    static const char all[] = "the low lower";
    struct token_list list = {0};
    mneme_error error = {0};
    assert_ok(tokenizer_encode(tokenizer, all, strlen(all), &list, &error), &error);
    for (size_t cut = 0; cut <= list.n; cut++) {
        const struct token_list before = {.ids = list.ids, .n = cut};
        char *start, *rest;
        size_t n_start, n_rest;
        assert_ok(tokenizer_decode(tokenizer, list.ids, cut, &start, &n_start, &error), &error);
        assert_ok(tokenizer_decode_after(tokenizer, &before, list.ids + cut, list.n - cut, &rest,
                                         &n_rest, &error),
                  &error);
        ck_assert_mem_eq(all, start, n_start);
        ck_assert_str_eq(all + n_start, rest);
        ck_assert_uint_eq(n_start + n_rest, strlen(all));
        free(start);
        free(rest);
    }
    token_list_free(&list);
    tokenizer_free(tokenizer);
    json_decref(root);
}
END_TEST

/* A megabyte without a place to cut takes time in proportion to its length. */
START_TEST(a_long_piece_is_no_long_work) {
    json_t *root = read_root("tests/tokenizers/kinds.json");
    const json_t *llama = json_array_get(json_object_get(root, "kinds"), 0);
    struct tokenizer *tokenizer = load_json(json_object_get(llama, "tokenizer"));
    size_t length = (size_t)1 << 20;
    char *text = malloc(length);
    for (size_t i = 0; i < length; i++) text[i] = "lowerwidest"[i * i % 11];
    struct token_list list = {0};
    mneme_error error = {0};
    assert_ok(tokenizer_encode(tokenizer, text, length, &list, &error), &error);
    ck_assert_uint_gt(list.n, length / 8);
    token_list_free(&list);
    free(text);
    tokenizer_free(tokenizer);
    json_decref(root);
}
END_TEST

Suite *tokenizer_kinds_suite(void);
Suite *tokenizer_kinds_suite(void) {
    Suite *suite = suite_create("tokenizer_kinds");
    TCase *cases = tcase_create("tokenizer_kinds");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, kinds_are_those_of_the_package);
    tcase_add_test(cases, whole_files_are_those_of_the_package);
    tcase_add_test(cases, many_texts_are_as_one_by_one);
    tcase_add_test(cases, a_continuation_keeps_its_blank);
    tcase_add_test(cases, a_long_piece_is_no_long_work);
    suite_add_tcase(suite, cases);
    return suite;
}
