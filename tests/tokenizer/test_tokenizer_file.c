#include <jansson.h>

#include "base/file.h"
#include "base/random.h"
#include "tests/temporary.h"
#include "tokenizer/tokenizer.h"

static const char *const small_texts[] = {"low lower lowest, newer newest wider widest",
                                          "the lowest of the low; the newest of the new"};

static struct tokenizer *saved_tokenizer(void) {
    struct tokenizer *tokenizer;
    mneme_error error;
    assert_ok(tokenizer_train(small_texts, 2, 280, &tokenizer, &error), &error);
    assert_ok(tokenizer_save(tokenizer, temporary_path("t.json"), &error), &error);
    return tokenizer;
}

static json_t *saved_json(void) {
    tokenizer_free(saved_tokenizer());
    json_t *root = json_load_file(temporary_path("t.json"), 0, NULL);
    ck_assert_ptr_nonnull(root);
    return root;
}

/* Writes the JSON, which it takes, and checks that it is refused for this cause. */
static void check_json_refused(json_t *root, const char *cause) {
    ck_assert_int_eq(json_dump_file(root, temporary_path("bad.json"), 0), 0);
    json_decref(root);
    struct tokenizer *tokenizer = NULL;
    mneme_error error;
    assert_refused(tokenizer_load(temporary_path("bad.json"), &tokenizer, &error), &error,
                   MNEME_BAD_INPUT, "bad.json: ", cause);
    ck_assert_ptr_null(tokenizer);
}

START_TEST(loads_what_it_saved) {
    struct tokenizer *tokenizer = saved_tokenizer(), *loaded;
    mneme_error error;
    assert_ok(tokenizer_load(temporary_path("t.json"), &loaded, &error), &error);
    ck_assert_uint_eq(tokenizer_vocab_size(loaded), tokenizer_vocab_size(tokenizer));
    ck_assert_int_eq(tokenizer_end_of_text(loaded), 0);
    struct token_list a = {0}, b = {0};
    static const char text[] = "the widest new <|end_of_text|>\xff low-er 3\n";
    assert_ok(tokenizer_encode(tokenizer, text, strlen(text), &a, &error), &error);
    assert_ok(tokenizer_encode(loaded, text, strlen(text), &b, &error), &error);
    ck_assert_uint_eq(a.n, b.n);
    ck_assert_mem_eq(a.ids, b.ids, a.n * sizeof *a.ids);
    token_list_free(&a);
    token_list_free(&b);

    assert_ok(tokenizer_save(loaded, temporary_path("u.json"), &error), &error);
    json_t *first = json_load_file(temporary_path("t.json"), 0, NULL);
    json_t *second = json_load_file(temporary_path("u.json"), 0, NULL);
    ck_assert(json_equal(first, second));
    json_decref(first);
    json_decref(second);
    tokenizer_free(loaded);
    tokenizer_free(tokenizer);
}
END_TEST

/* GPT-2's characters for bytes that are not printable, and the edges of those that are. */
START_TEST(bytes_are_written_as_gpt2_does) {
    static const struct {
        const char *text;
        int byte;
    } cases[] = {{"\xc4\x80", 0x00}, {"\xc4\x8a", '\n'}, {"\xc4\xa0", ' '},  {"!", '!'},
                 {"~", '~'},         {"\xc4\xa1", 0x7f}, {"\xc5\x82", 0xa0}, {"\xc2\xa1", 0xa1},
                 {"\xc2\xac", 0xac}, {"\xc5\x83", 0xad}, {"\xc2\xae", 0xae}, {"\xc3\xbf", 0xff}};
    json_t *root = saved_json();
    const json_t *vocabulary = json_object_get(json_object_get(root, "model"), "vocab");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const json_t *id = json_object_get(vocabulary, cases[i].text);
        ck_assert_msg(json_integer_value(id) == cases[i].byte + 1, "byte %d", cases[i].byte);
    }
    json_decref(root);
}
END_TEST

START_TEST(merges_may_be_pairs) {
    json_t *root = saved_json();
    json_t *merges = json_object_get(json_object_get(root, "model"), "merges");
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const char *text = json_string_value(json_array_get(merges, i));
        const char *space = strchr(text, ' ');
        json_t *pair = json_pack("[s#, s]", text, (int)(space - text), space + 1);
        json_array_set_new(merges, i, pair);
    }
    ck_assert_int_eq(json_dump_file(root, temporary_path("pairs.json"), 0), 0);
    json_decref(root);
    struct tokenizer *tokenizer;
    mneme_error error;
    assert_ok(tokenizer_load(temporary_path("pairs.json"), &tokenizer, &error), &error);
    tokenizer_free(tokenizer);
}
END_TEST

static json_t *model_of(json_t *root) {
    return json_object_get(root, "model");
}

START_TEST(lying_vocabularies_are_refused) {
    json_t *root = saved_json();
    json_object_set_new(json_object_get(model_of(root), "vocab"), "A", json_integer(3));
    check_json_refused(root, "share an id");
    root = saved_json();
    json_object_set_new(json_object_get(model_of(root), "vocab"), "A", json_integer(1 << 20));
    check_json_refused(root, "not one of 0 to 1048575");
    root = saved_json();
    json_object_set_new(json_object_get(model_of(root), "vocab"), "A", json_string("66"));
    check_json_refused(root, "\"A\"");
    root = saved_json();
    json_object_set_new(json_object_get(model_of(root), "vocab"), "A", json_real(66.0));
    check_json_refused(root, "\"A\"");
    root = saved_json();
    json_object_set_new(model_of(root), "vocab", json_array());
    check_json_refused(root, "model.vocab: not an object");
    root = saved_json();
    json_object_clear(json_object_get(model_of(root), "vocab"));
    check_json_refused(root, "no token for any byte");
}
END_TEST

START_TEST(lying_merges_are_refused) {
    static const struct {
        const char *merge, *cause;
    } cases[] = {{"low zzz", "does not name two tokens"},
                 {"low", "does not name two tokens"},
                 {" low", "does not name two tokens"},
                 {"low ", "does not name two tokens"},
                 {"l o w", "does not name two tokens"},
                 {"a\xe2\x96\x81 b", "not written in the byte alphabet"},
                 {"<|end_of_text|> a", "result is not in the vocabulary"},
                 {"Q Q", "result is not in the vocabulary"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *root = saved_json();
        json_t *merges = json_object_get(model_of(root), "merges");
        json_array_append_new(merges, json_string(cases[i].merge));
        check_json_refused(root, cases[i].cause);
    }
    json_t *root = saved_json();
    json_array_append_new(json_object_get(model_of(root), "merges"), json_integer(1));
    check_json_refused(root, "model.merges[19]");
    root = saved_json();
    json_object_set_new(model_of(root), "merges", json_null());
    check_json_refused(root, "model.merges: not an array");
}
END_TEST

START_TEST(other_tokenizers_are_refused) {
    json_t *root = saved_json();
    json_object_set_new(model_of(root), "type", json_string("Unigram"));
    check_json_refused(root, "model.type: Unigram: only BPE");
    root = saved_json();
    json_object_set_new(root, "normalizer", json_pack("{s:s}", "type", "NFX"));
    check_json_refused(root, "normalizer");
    root = saved_json();
    json_object_set_new(model_of(root), "dropout", json_real(0.1));
    check_json_refused(root, "model.dropout");
    root = saved_json();
    json_object_set_new(root, "pre_tokenizer", json_pack("{s:s}", "type", "UnicodeScripts"));
    check_json_refused(root, "pre_tokenizer: UnicodeScripts: not supported");
    root = saved_json();
    json_object_set_new(root, "decoder", json_pack("{s:s}", "type", "CTC"));
    check_json_refused(root, "decoder: CTC: not supported");
    root = saved_json();
    json_array_append_new(json_object_get(root, "added_tokens"),
                          json_pack("{s:s}", "content", "xy"));
    check_json_refused(root, "\"xy\" is not one of 0 to");
    root = saved_json();
    json_object_set_new(json_array_get(json_object_get(root, "added_tokens"), 0), "id",
                        json_integer(5));
    check_json_refused(root, "different ids");
    check_json_refused(json_array(), "model.type");
}
END_TEST

/* Whatever one byte is cut or changed, loading ends with a tokenizer or with one line. */
static void load_mangled(const char *bytes, size_t length) {
    temporary_write("mangled.json", bytes, length);
    struct tokenizer *tokenizer;
    mneme_error error;
    mneme_status status = tokenizer_load(temporary_path("mangled.json"), &tokenizer, &error);
    if (status == MNEME_OK) {
        struct token_list list = {0};
        tokenizer_encode(tokenizer, "the low 12", 10, &list, &error);
        token_list_free(&list);
        tokenizer_free(tokenizer);
        return;
    }
    assert_refused(status, &error, MNEME_BAD_INPUT, "mangled.json:", "");
}

START_TEST(mangled_files_give_one_line) {
    tokenizer_free(saved_tokenizer());
    char *bytes;
    size_t length;
    mneme_error error;
    assert_ok(file_read(temporary_path("t.json"), 100000, &bytes, &length, &error), &error);
    for (size_t i = 0; i < 100; i++) load_mangled(bytes, random_below(1, 1, i, (uint32_t)length));
    for (size_t i = 0; i < 400; i++) {
        size_t at = random_below(2, 1, i, (uint32_t)length);
        char kept = bytes[at];
        bytes[at] = (char)random_below(3, 1, i, 256);
        load_mangled(bytes, length);
        bytes[at] = kept;
    }
    load_mangled("", 0);
    free(bytes);
    struct tokenizer *tokenizer;
    assert_refused(tokenizer_load(temporary_path("none.json"), &tokenizer, &error), &error,
                   MNEME_BAD_INPUT, "none.json", "No such file");
}
END_TEST

Suite *tokenizer_file_suite(void) {
    Suite *suite = suite_create("tokenizer_file");
    TCase *cases = tcase_create("tokenizer_file");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, loads_what_it_saved);
    tcase_add_test(cases, bytes_are_written_as_gpt2_does);
    tcase_add_test(cases, merges_may_be_pairs);
    tcase_add_test(cases, lying_vocabularies_are_refused);
    tcase_add_test(cases, lying_merges_are_refused);
    tcase_add_test(cases, other_tokenizers_are_refused);
    tcase_add_test(cases, mangled_files_give_one_line);
    suite_add_tcase(suite, cases);
    return suite;
}
