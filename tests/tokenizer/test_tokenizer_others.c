/* Tokenizers that the Python package wrote, with the ids that it gave (tests/tokenizers). */

#include <jansson.h>

#include "base/file.h"
#include "tests/temporary.h"
#include "tokenizer/token_texts.h"
#include "tokenizer/tokenizer.h"

static json_t *read_json(const char *kind, const char *suffix) {
    char path[128];
    snprintf(path, sizeof path, "tests/tokenizers/%s%s", kind, suffix);
    json_t *root = json_load_file(path, 0, NULL);
    ck_assert_msg(root != NULL, "%s", path);
    return root;
}

static struct tokenizer *load(const char *kind) {
    char path[128];
    snprintf(path, sizeof path, "tests/tokenizers/%s.json", kind);
    struct tokenizer *tokenizer;
    mneme_error error = {0};
    assert_ok(tokenizer_load(path, &tokenizer, &error), &error);
    return tokenizer;
}

/* The added word of smollm.json, whose letters are those of bytes, decodes to these, as in the
 * package. */
static void check_decoded(const struct tokenizer *tokenizer, const struct token_list *list,
                          const json_t *text) {
    char *decoded;
    size_t length;
    mneme_error error = {0};
    if (strstr(json_string_value(text), "\xc3\xa9t\xc3\xa9") != NULL) return;
    assert_ok(tokenizer_decode(tokenizer, list->ids, list->n, &decoded, &length, &error), &error);
    ck_assert_uint_eq(length, json_string_length(text));
    ck_assert_mem_eq(decoded, json_string_value(text), length);
    free(decoded);
}

static void check_ids(struct tokenizer *tokenizer, const char *kind, const json_t *pair) {
    const json_t *text = json_array_get(pair, 0), *ids = json_array_get(pair, 1);
    struct token_list list = {0};
    mneme_error error = {0};
    assert_ok(tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text), &list,
                               &error),
              &error);
    bool same = list.n == json_array_size(ids);
    for (size_t i = 0; same && i < list.n; i++) {
        same = json_integer_value(json_array_get(ids, i)) == list.ids[i];
    }
    ck_assert_msg(same, "%s: other ids for: %s", kind, json_string_value(text));
    check_decoded(tokenizer, &list, text);
    token_list_free(&list);
}

START_TEST(ids_are_the_packages) {
    static const char *const kinds[] = {"gpt2", "llama3", "smollm", "deepseek"};
    const char *kind = kinds[_i];
    struct tokenizer *tokenizer = load(kind);
    json_t *expected = read_json(kind, ".ids.json"), *pair;
    size_t i;
    ck_assert_uint_gt(json_array_size(json_object_get(expected, "texts")), 60);
    json_array_foreach(json_object_get(expected, "texts"), i, pair) {
        check_ids(tokenizer, kind, pair);
    }
    json_decref(expected);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(texts_start_and_end_as_the_model_knows_it) {
    struct tokenizer *tokenizer = load("llama3");
    ck_assert_int_eq(tokenizer_start_of_text(tokenizer), 0);
    ck_assert_int_eq(tokenizer_end_of_text(tokenizer), 1);
    tokenizer_free(tokenizer);
    tokenizer = load("gpt2");
    ck_assert_int_eq(tokenizer_start_of_text(tokenizer), 0);
    ck_assert_int_eq(tokenizer_end_of_text(tokenizer), 0);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(a_loaded_file_is_saved_as_it_was) {
    struct tokenizer *tokenizer = load("smollm");
    mneme_error error = {0};
    char *before, *after;
    size_t length, saved;
    assert_ok(tokenizer_save(tokenizer, temporary_path("t.json"), &error), &error);
    tokenizer_free(tokenizer);
    assert_ok(file_read("tests/tokenizers/smollm.json", 1 << 20, &before, &length, &error), &error);
    assert_ok(file_read(temporary_path("t.json"), 1 << 20, &after, &saved, &error), &error);
    ck_assert_uint_eq(saved, length);
    ck_assert_mem_eq(before, after, length);
    free(before);
    free(after);
}
END_TEST

/* Loads the kind's file after a change; it must be refused for this cause. Takes the JSON. */
static void check_changed_refused(json_t *root, const char *cause) {
    ck_assert_int_eq(json_dump_file(root, temporary_path("t.json"), 0), 0);
    json_decref(root);
    struct tokenizer *tokenizer = NULL;
    mneme_error error;
    assert_refused(tokenizer_load(temporary_path("t.json"), &tokenizer, &error), &error,
                   MNEME_BAD_INPUT, "t.json: ", cause);
    ck_assert_ptr_null(tokenizer);
}

static json_t *part_of(json_t *root, size_t number) {
    json_t *pre = json_object_get(root, "pre_tokenizer");
    return json_array_get(json_object_get(pre, "pretokenizers"), number);
}

START_TEST(other_splitting_is_refused) {
    static const char *const patterns[][2] = {
        {"\\p{N}{1,3}+", "{}+"}, {"[a&&b]", "&& in a class"}, {"[a[bc]]", "a class in a class"},
        {"[\\W]", "in a class"}, {"(?m:a)", "(?m)"},          {"a*", "empty string"},
        {"(", "at byte"}};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        json_t *root = read_json("llama3", ".json");
        json_object_set_new(part_of(root, 0), "pattern",
                            json_pack("{s:s}", "Regex", patterns[i][0]));
        check_changed_refused(root, patterns[i][1]);
    }
    json_t *root = read_json("llama3", ".json");
    json_object_set_new(part_of(root, 0), "behavior", json_string("MergedWithBoth"));
    check_changed_refused(root, "pre_tokenizer: behavior");
    root = read_json("llama3", ".json");
    json_object_set_new(part_of(root, 0), "type", json_string("Metaspace"));
    check_changed_refused(root, "pre_tokenizer: Metaspace: its replacement");
    root = read_json("llama3", ".json");
    json_object_set_new(part_of(root, 0), "type", json_string("FixedLength"));
    check_changed_refused(root, "pre_tokenizer: FixedLength: not supported");
    root = read_json("smollm", ".json");
    json_t *parts = json_object_get(json_object_get(root, "pre_tokenizer"), "pretokenizers");
    for (int i = 0; i < 40; i++) json_array_insert(parts, 0, json_array_get(parts, 0));
    check_changed_refused(root, "pre_tokenizer: more parts");
}
END_TEST

static void set_added(json_t *root, size_t number, const char *key, json_t *value) {
    json_t *token = json_array_get(json_object_get(root, "added_tokens"), number);
    json_object_set_new(token, key, value);
}

START_TEST(lying_added_tokens_are_refused) {
    json_t *root = read_json("smollm", ".json");
    set_added(root, 3, "content", json_string(""));
    check_changed_refused(root, "added_tokens[3]: no content");
    root = read_json("smollm", ".json");
    set_added(root, 3, "id", json_integer(1LL << 40));
    check_changed_refused(root, "is not one of 0 to");
    root = read_json("smollm", ".json");
    set_added(root, 4, "id", json_integer(7));
    check_changed_refused(root, "share an id");
    root = read_json("smollm", ".json");
    set_added(root, 1, "id", json_integer(7));
    check_changed_refused(root, "added_tokens[1]: it and model.vocab");
    root = read_json("gpt2", ".json");
    json_array_append(json_object_get(root, "added_tokens"),
                      json_array_get(json_object_get(root, "added_tokens"), 0));
    check_changed_refused(root, "added_tokens[1]: repeats");
    root = read_json("gpt2", ".json");
    json_array_append_new(json_object_get(root, "added_tokens"),
                          json_pack("{s:s, s:i}", "content", "<|fim|>", "id", 425));
    check_changed_refused(root, "added_tokens[1]: its id is 425, but other programs give it 420");
}
END_TEST

/* gpt2.json after a change; takes the JSON. */
static struct tokenizer *load_changed(json_t *root) {
    struct tokenizer *tokenizer;
    mneme_error error = {0};
    ck_assert_int_eq(json_dump_file(root, temporary_path("t.json"), 0), 0);
    json_decref(root);
    assert_ok(tokenizer_load(temporary_path("t.json"), &tokenizer, &error), &error);
    return tokenizer;
}

/* The ids, which end with -1. */
static void check_these(struct tokenizer *tokenizer, const char *text, const int32_t *ids) {
    struct token_list list = {0};
    mneme_error error = {0};
    assert_ok(tokenizer_encode(tokenizer, text, strlen(text), &list, &error), &error);
    for (size_t i = 0; i < list.n; i++) ck_assert_int_eq(list.ids[i], ids[i]);
    ck_assert_int_eq(ids[list.n], -1);
    token_list_free(&list);
}

#define IDS(...) ((const int32_t[]){__VA_ARGS__, -1})

static json_t *vocabulary_of(json_t *root) {
    return json_object_get(json_object_get(root, "model"), "vocab");
}

/* Ids with gaps, as GPT-4's; what the package `tokenizers` 0.23 gives for the same files. */
START_TEST(ids_may_have_gaps) {
    json_t *root = read_json("gpt2", ".json");
    const char *names[] = {"<|fim|>", "<|x|>"};
    for (int i = 0; i < 2; i++) {
        json_object_set_new(vocabulary_of(root), names[i], json_integer(425 + 4 * i));
        json_array_append_new(json_object_get(root, "added_tokens"),
                              json_pack("{s:i, s:s}", "id", 425 + 4 * i, "content", names[i]));
    }
    struct tokenizer *tokenizer = load_changed(root);
    check_these(tokenizer, "a<|fim|><|x|>b", IDS(65, 425, 429, 66));
    char *text;
    mneme_error error = {0};
    assert_ok(
        tokenizer_decode(tokenizer, (int32_t[]){66, 425, 429, 422, 67}, 5, &text, NULL, &error),
        &error);
    ck_assert_str_eq(text, "b<|fim|><|x|>c");
    free(text);
    ck_assert_uint_eq(tokenizer_vocab_size(tokenizer), 430);
    tokenizer_free(tokenizer);

    root = read_json("gpt2", ".json");
    json_object_set_new(vocabulary_of(root), "b", json_integer(440));
    tokenizer = load_changed(root);
    check_these(tokenizer, "abc", IDS(65, 440, 67));
    tokenizer_free(tokenizer);
}
END_TEST

/* gpt2.json without tokens for a, b and the byte 0x84, and what was made of a and b. */
static json_t *without_letters(void) {
    static const char *const gone[] = {"a", "b", "\xc3\x84"};
    json_t *root = read_json("gpt2", ".json");
    json_t *merges = json_object_get(json_object_get(root, "model"), "merges");
    for (int i = 0; i < 3; i++) json_object_del(vocabulary_of(root), gone[i]);
    for (size_t i = json_array_size(merges); i-- > 0;) {
        const json_t *merge = json_array_get(merges, i);
        for (size_t half = 0; half < 2; half++) {
            const char *text = json_string_value(json_array_get(merge, half));
            if (json_is_string(merge)) text = json_string_value(merge);
            if (strpbrk(text, "ab") == NULL) continue;
            json_array_remove(merges, i);
            break;
        }
    }
    return root;
}

START_TEST(bytes_may_lack_tokens) {
    static const char text[] =
        "xabx the low \xc4\x80"
        "a";
    struct tokenizer *tokenizer = load_changed(without_letters());
    check_these(tokenizer, text, IDS(88, 88, 221, 413, 363, 221, 223));
    tokenizer_free(tokenizer);
    for (int fuse = 0; fuse < 2; fuse++) {
        json_t *root = without_letters(), *model = json_object_get(root, "model");
        json_object_set_new(model, "unk_token", json_string("<|endoftext|>"));
        json_object_set_new(model, "fuse_unk", json_boolean(fuse));
        tokenizer = load_changed(root);
        check_these(tokenizer, text,
                    fuse ? IDS(88, 0, 88, 221, 413, 363, 221, 0, 223, 0)
                         : IDS(88, 0, 0, 88, 221, 413, 363, 221, 0, 223, 0));
        tokenizer_free(tokenizer);
    }
    json_t *root = without_letters();
    json_object_set_new(json_object_get(root, "model"), "unk_token", json_string("<nope>"));
    check_changed_refused(root, "model.unk_token: not in model.vocab");
    root = without_letters();
    json_object_set_new(json_object_get(root, "model"), "byte_fallback", json_true());
    check_changed_refused(root, "model.byte_fallback");
}
END_TEST

START_TEST(what_changes_no_text_is_passed_over) {
    json_t *root = read_json("gpt2", ".json");
    json_object_set_new(root, "normalizer",
                        json_pack("{s:s, s:[]}", "type", "Sequence", "normalizers"));
    json_object_set_new(root, "truncation", json_pack("{s:i, s:i}", "max_length", 2, "stride", 0));
    json_object_set_new(root, "padding", json_pack("{s:{s:i}}", "strategy", "Fixed", 9));
    struct tokenizer *tokenizer = load_changed(root);
    check_these(tokenizer, "abc", IDS(65, 66, 67));
    tokenizer_free(tokenizer);
}
END_TEST

/* Ids of tokenizers 0.23 for smollm.json with this normalizer. An added word that is `normalized`
 * is looked for in the normalised text, a special token in the text as it is. */
START_TEST(texts_are_normalised) {
    json_t *root = read_json("smollm", ".json");
    json_object_set_new(root, "normalizer",
                        json_pack("{s:s, s:[{s:s}, {s:s}]}", "type", "Sequence", "normalizers",
                                  "type", "NFC", "type", "Lowercase"));
    struct tokenizer *tokenizer = load_changed(root);
    check_these(tokenizer, "e\xcc\x81te\xcc\x81 E\xcc\x81TE\xcc\x81", IDS(330, 223, 330));
    check_these(tokenizer, "CAFE\xcc\x81<|im_end|>LO", IDS(286, 267, 2, 264));
    tokenizer_free(tokenizer);
}
END_TEST

/* White space that a token took to itself is no token again; ids of tokenizers 0.23. */
START_TEST(added_tokens_share_white_space) {
    json_t *root = read_json("gpt2", ".json"), *added = json_object_get(root, "added_tokens");
    for (int i = 0; i < 2; i++) {
        json_array_append_new(
            added, json_pack("{s:i, s:s, s:b, s:b, s:b, s:b, s:b}", "id", 420 + i, "content",
                             i == 0 ? "  " : "\n", "single_word", 0, "lstrip", i == 0, "rstrip", 1,
                             "normalized", 0, "special", 1));
    }
    struct tokenizer *tokenizer = load_changed(root);
    check_these(tokenizer, "a    b", IDS(65, 420, 66));
    check_these(tokenizer, "     ", IDS(420));
    check_these(tokenizer, "a\n\n  b  \n b", IDS(65, 421, 421, 66, 420, 421, 66));
    check_these(tokenizer, "\n    \n", IDS(421, 421));
    tokenizer_free(tokenizer);
}
END_TEST

/* A decoder's step after ByteLevel sees U+FFFD for what is no UTF-8; text of tokenizers 0.23. */
START_TEST(steps_after_bytes_see_text) {
    json_t *root = read_json("gpt2", ".json");
    json_object_set_new(
        root, "decoder",
        json_pack("{s:s, s:[{s:s}, {s:s, s:{s:s}, s:s}]}", "type", "Sequence", "decoders", "type",
                  "ByteLevel", "type", "Replace", "pattern", "String", "e", "content", ""));
    struct tokenizer *tokenizer = load_changed(root);
    const int32_t ids[] = {163, 109, 69, 224, 163, 109, 224}; /* e6 b0 `e` 81 e6 b0 81 */
    char *text;
    mneme_error error = {0};
    assert_ok(tokenizer_decode(tokenizer, ids, 7, &text, NULL, &error), &error);
    ck_assert_str_eq(text, "\xef\xbf\xbd\xef\xbf\xbd\xe6\xb0\x81");
    free(text);
    tokenizer_free(tokenizer);
}
END_TEST

/* Such a file serves to generate; training on texts needs an end. */
START_TEST(a_text_without_an_end_is_refused_in_training) {
    json_t *root = read_json("gpt2", ".json");
    json_object_set_new(root, "added_tokens", json_array());
    struct tokenizer *tokenizer = load_changed(root);
    struct token_texts texts = {0};
    char *strings[] = {(char *)"abc"};
    mneme_error error = {0};
    ck_assert_int_eq(tokenizer_end_of_text(tokenizer), TOKEN_NONE);
    assert_refused(token_texts_add(&texts, tokenizer, 1, strings, 8, &error), &error,
                   MNEME_BAD_INPUT, "t.json: added_tokens", "no token that ends a text");
    assert_ok(token_texts_add_prompt(&texts, tokenizer, "abc", &error), &error);
    ck_assert_uint_eq(texts.lengths[0], 3);
    token_texts_free(&texts);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(lying_post_processors_are_refused) {
    static const char *const cases[] = {
        "{\"type\": \"Magic\"}",
        "7",
        "{\"type\": \"TemplateProcessing\", \"single\": []}",
        "{\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": \"B\"}}]}",
        "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"x\"}}]}",
        "{\"type\": \"RobertaProcessing\", \"cls\": [\"x\", -4], \"sep\": [\"x\", 1]}",
        "{\"type\": \"Sequence\"}"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *root = read_json("gpt2", ".json");
        json_object_set_new(root, "post_processor", json_loads(cases[i], JSON_DECODE_ANY, NULL));
        check_changed_refused(root, "post_processor: expected TemplateProcessing");
    }
}
END_TEST

Suite *tokenizer_others_suite(void) {
    Suite *suite = suite_create("tokenizer_others");
    TCase *cases = tcase_create("tokenizer_others");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_loop_test(cases, ids_are_the_packages, 0, 4);
    tcase_add_test(cases, texts_start_and_end_as_the_model_knows_it);
    tcase_add_test(cases, a_loaded_file_is_saved_as_it_was);
    tcase_add_test(cases, other_splitting_is_refused);
    tcase_add_test(cases, lying_added_tokens_are_refused);
    tcase_add_test(cases, ids_may_have_gaps);
    tcase_add_test(cases, bytes_may_lack_tokens);
    tcase_add_test(cases, what_changes_no_text_is_passed_over);
    tcase_add_test(cases, texts_are_normalised);
    tcase_add_test(cases, added_tokens_share_white_space);
    tcase_add_test(cases, steps_after_bytes_see_text);
    tcase_add_test(cases, a_text_without_an_end_is_refused_in_training);
    tcase_add_test(cases, lying_post_processors_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
