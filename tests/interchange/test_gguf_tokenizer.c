#include "interchange/gguf_tokenizer.h"

#include "base/file.h"
#include "base/json_write.h"
#include "data/data_sets.h"
#include "tests/temporary.h"
#include "tokenizer/tokenizer.h"

#define SEPARATOR "\n__ggml_vocab_test__\n"

/* A GGUF file that is all metadata. */
static void open_metadata(struct gguf *file, json_t *metadata) {
    *file = (struct gguf){.metadata = metadata};
    file->file.path = "a.gguf";
}

/* The next line of ids, which must be the list's; returns where the line after it begins. */
static const char *check_ids(const char *line, const struct token_list *list, const char *text,
                             size_t length) {
    for (size_t i = 0; i < list->n; i++) {
        char *end;
        long id = strtol(line, &end, 10);
        ck_assert_msg(id == list->ids[i], "\"%.*s\": id %zu is %d, llama.cpp's is %ld", (int)length,
                      text, i, (int)list->ids[i], id);
        line = end;
    }
    line += strspn(line, " ");
    ck_assert_msg(*line == '\n' || *line == '\0', "\"%.*s\": llama.cpp has more ids", (int)length,
                  text);
    return line + (*line == '\n');
}

/* Encodes every text of NAME.gguf.inp; the ids must be those of the lines of NAME.gguf.out. */
static void check_pairs(struct tokenizer *tokenizer, const char *name) {
    char path[512], input_name[128], output_name[128];
    char *input, *output;
    size_t length;
    mneme_error error;
    snprintf(input_name, sizeof input_name, "tokenizers/llama_cpp/%s.gguf.inp", name);
    snprintf(output_name, sizeof output_name, "tokenizers/llama_cpp/%s.gguf.out", name);
    ck_assert(data_set("gguf_tokenizer", input_name, path));
    assert_ok(file_read(path, 1 << 20, &input, &length, &error), &error);
    ck_assert(data_set("gguf_tokenizer", output_name, path));
    assert_ok(file_read(path, 1 << 20, &output, &length, &error), &error);
    const char *ids = output;
    size_t n = 0;
    for (const char *text = input, *end; text != NULL; n++) {
        struct token_list list = {0};
        end = strstr(text, SEPARATOR);
        length = end == NULL ? strlen(text) : (size_t)(end - text);
        assert_ok(tokenizer_encode(tokenizer, text, length, &list, &error), &error);
        ids = check_ids(ids, &list, text, length);
        token_list_free(&list);
        text = end == NULL ? NULL : end + strlen(SEPARATOR);
    }
    ck_assert_uint_gt(n, 40);
    free(input);
    free(output);
}

START_TEST(ids_are_those_of_llama_cpp) {
    static const char *const names[] = {"ggml-vocab-gpt-2", "ggml-vocab-refact",
                                        "ggml-vocab-starcoder", "ggml-vocab-deepseek-llm"};
    char path[512], name[128];
    struct gguf file;
    struct tokenizer *tokenizer;
    json_t *root;
    mneme_error error;
    snprintf(name, sizeof name, "tokenizers/llama_cpp/%s.gguf", names[_i]);
    if (!data_set("ids_are_those_of_llama_cpp", name, path)) return;
    assert_ok(gguf_open(&file, path, &error), &error);
    assert_ok(gguf_tokenizer(&file, &root, &error), &error);
    assert_ok(json_write_file(temporary_path("tokenizer.json"), root, &error), &error);
    assert_ok(tokenizer_load(temporary_path("tokenizer.json"), &tokenizer, &error), &error);
    check_pairs(tokenizer, names[_i]);
    tokenizer_free(tokenizer);
    json_decref(root);
    gguf_close(&file);
}
END_TEST

/* What transformers 5 makes of these tokens and scores (its generate_merges). */
START_TEST(merges_follow_from_scores) {
    struct gguf file;
    json_t *root;
    mneme_error error;
    open_metadata(
        &file, json_pack("{s:s, s:[s,s,s,s,s,s,s,s], s:[f,f,f,f,f,f,f,f],"
                         " s:[i,i,i,i,i,i,i,i], s:i, s:i, s:b}",
                         "tokenizer.ggml.model", "llama", "tokenizer.ggml.tokens", "<unk>", "<s>",
                         "a", "b", "ab", "abab", "aba", "▁", "tokenizer.ggml.scores", 0.0, 0.0,
                         -5.0, -6.0, -1.0, -2.0, -2.0, -7.0, "tokenizer.ggml.token_type", 2, 3, 1,
                         1, 1, 1, 1, 1, "tokenizer.ggml.unknown_token_id", 0,
                         "tokenizer.ggml.bos_token_id", 1, "tokenizer.ggml.add_bos_token", 1));
    assert_ok(gguf_tokenizer(&file, &root, &error), &error);
    json_t *expected =
        json_pack("[[s,s],[s,s],[s,s],[s,s]]", "a", "b", "aba", "b", "ab", "ab", "ab", "a");
    const json_t *model = json_object_get(root, "model");
    ck_assert(json_equal(json_object_get(model, "merges"), expected));
    ck_assert_str_eq(json_string_value(json_object_get(model, "unk_token")), "<unk>");
    ck_assert(json_is_object(json_object_get(root, "post_processor")));
    json_decref(expected);
    json_decref(root);
    json_decref(file.metadata);
}
END_TEST

static void check_refused(json_t *metadata, const char *cause) {
    struct gguf file;
    json_t *root;
    mneme_error error;
    open_metadata(&file, metadata);
    assert_refused(gguf_tokenizer(&file, &root, &error), &error, MNEME_BAD_INPUT,
                   "a.gguf: tokenizer.ggml.", cause);
    json_decref(metadata);
}

START_TEST(refuses_what_it_does_not_know) {
    check_refused(json_pack("{s:s}", "tokenizer.ggml.model", "bert"), "must be gpt2 or llama");
    check_refused(json_pack("{s:s}", "tokenizer.ggml.model", "gpt2"), "tokens: missing");
    check_refused(json_pack("{s:s, s:[s], s:s}", "tokenizer.ggml.model", "gpt2",
                            "tokenizer.ggml.tokens", "a", "tokenizer.ggml.pre", "qwen"),
                  "`qwen`: how it cuts texts is not known");
    check_refused(json_pack("{s:s, s:[s,s]}", "tokenizer.ggml.model", "llama",
                            "tokenizer.ggml.tokens", "a", "a"),
                  "twice");
    check_refused(
        json_pack("{s:s, s:[s]}", "tokenizer.ggml.model", "llama", "tokenizer.ggml.tokens", "a"),
        "scores");
}
END_TEST

Suite *gguf_tokenizer_suite(void);
Suite *gguf_tokenizer_suite(void) {
    Suite *suite = suite_create("gguf_tokenizer");
    TCase *tests = tcase_create("tokenizer");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, ids_are_those_of_llama_cpp, 0, 4);
    tcase_add_test(tests, merges_follow_from_scores);
    tcase_add_test(tests, refuses_what_it_does_not_know);
    suite_add_tcase(suite, tests);
    return suite;
}
