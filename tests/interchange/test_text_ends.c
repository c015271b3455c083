/* Where prompts start and texts end, before and after a round trip. The texts are what transformers
 * 5.24 (AutoTokenizer, AutoModelForCausalLM, greedy) makes of hf_llama with the same files. */

#include <mneme/generate.h>
#include <mneme/interchange.h>

#include <jansson.h>

#include "base/file.h"
#include "base/path.h"
#include "tests/interchange/imports.h"

#define HF_LLAMA "tests/interchange/hf_llama"

/* A tokenizer of the letters from A to n, 1 to 46, and two special tokens. */
static json_t *small_tokenizer(json_t *post_processor) {
    json_t *vocabulary = json_pack("{s:i, s:i}", "<|endoftext|>", 0, "<|end|>", 47);
    for (int i = 0; i < 46; i++) {
        char letter[2] = {(char)('A' + i), '\0'};
        json_object_set_new(vocabulary, letter, json_integer(i + 1));
    }
    return json_pack(
        "{s:{s:i}, s:[{s:i, s:s}, {s:i, s:s}], s:{s:s, s:[]}, s:{s:s, s:b, s:b}, s:o, s:{s:s}, "
        "s:{s:s, s:[], s:o}}",
        "truncation", "max_length", 2, "added_tokens", "id", 0, "content", "<|endoftext|>", "id",
        47, "content", "<|end|>", "normalizer", "type", "Sequence", "normalizers", "pre_tokenizer",
        "type", "ByteLevel", "add_prefix_space", 0, "use_regex", 1, "post_processor",
        post_processor, "decoder", "type", "ByteLevel", "model", "type", "BPE", "merges", "vocab",
        vocabulary);
}

static json_t *template_processor(void) {
    return json_pack("{s:s, s:[{s:{s:s}}, {s:{s:s}}], s:{s:{s:[i]}}}", "type", "TemplateProcessing",
                     "single", "SpecialToken", "id", "<|endoftext|>", "Sequence", "id", "A",
                     "special_tokens", "<|endoftext|>", "ids", 0);
}

static json_t *processor(const char *kind) {
    if (strcmp(kind, "template") == 0) return template_processor();
    if (strcmp(kind, "sequence") == 0) {
        return json_pack("{s:s, s:[{s:s}, o]}", "type", "Sequence", "processors", "type",
                         "ByteLevel", template_processor());
    }
    if (strcmp(kind, "roberta") == 0) {
        return json_pack("{s:s, s:[s, i], s:[s, i]}", "type", "RobertaProcessing", "sep", "<|end|>",
                         47, "cls", "<|endoftext|>", 0);
    }
    return json_null();
}

static void dump(json_t *object, const char *name) {
    ck_assert_int_eq(json_dump_file(object, temporary_path(name), 0), 0);
    json_decref(object);
}

/* hf_llama in the folder "hf", with a tokenizer and what the config says of ends (NULL: as it is).
 */
static void make_folder(const char *kind, const char *eos, const char *generation) {
    char *bytes;
    size_t length;
    mneme_error error;
    assert_ok(directory_make(temporary_path("hf"), &error), &error);
    assert_ok(file_read(HF_LLAMA "/model.safetensors", 1 << 20, &bytes, &length, &error), &error);
    temporary_write("hf/model.safetensors", bytes, length);
    free(bytes);
    json_t *config = json_load_file(HF_LLAMA "/config.json", 0, NULL);
    if (eos != NULL) {
        json_object_set_new(config, "eos_token_id", json_loads(eos, JSON_DECODE_ANY, NULL));
    }
    dump(config, "hf/config.json");
    dump(small_tokenizer(processor(kind)), "hf/tokenizer.json");
    if (generation == NULL) {
        remove(temporary_path("hf/generation_config.json"));
    } else {
        temporary_write("hf/generation_config.json", generation, strlen(generation));
    }
}

/* What was told, and in how many pieces. */
struct told {
    char text[256];
    int n;
};

static void hear(const char *piece, void *user) {
    struct told *told = user;
    ck_assert_uint_lt(strlen(told->text) + strlen(piece), sizeof told->text);
    ck_assert_uint_gt(strlen(piece), 0);
    strcat(told->text, piece);
    told->n++;
}

/* The same text comes piece by piece. */
static void check_pieces(mneme_generator *generator, const char *prompt, const char *expected) {
    struct told told = {.n = 0};
    mneme_error error = {0};
    char *text;
    size_t n_tokens;
    assert_ok(mneme_generate_told(generator, prompt, 12, hear, &told, &text, &n_tokens, &error),
              &error);
    ck_assert_str_eq(text, expected);
    ck_assert_str_eq(told.text, expected);
    if (strlen(expected) > 1) ck_assert_int_gt(told.n, 1);
    ck_assert_int_le(told.n, (int)n_tokens);
    free(text);
}

static void check_text(const char *folder, const char *prompt, const char *expected) {
    mneme_generator *generator;
    mneme_error error = {0};
    char *text;
    assert_ok(mneme_generator_open(folder, &generator, &error), &error);
    assert_ok(mneme_generate(generator, prompt, 12, &text, NULL, &error), &error);
    ck_assert_str_eq(text, expected);
    free(text);
    check_pieces(generator, prompt, expected);
    mneme_generator_close(generator);
}

/* After an import, and after import, export and import. */
static void check_round_trip(const char *prompt, const char *expected) {
    const mneme_interchange_options replace = {.replace = 1};
    mneme_interchange_result result;
    mneme_error error = {0};
    import("hf", temporary_path("hf"), temporary_path("a"));
    check_text(temporary_path("a"), prompt, expected);
    assert_ok(
        mneme_export("hf", temporary_path("a"), temporary_path("b"), &replace, &result, &error),
        &error);
    import("hf", temporary_path("b"), temporary_path("c"));
    check_text(temporary_path("c"), prompt, expected);
}

START_TEST(prompts_start_as_the_post_processor_says) {
    static const char *const cases[][3] = {
        {"null", "HELLO", "UQZUUZUQd_Ud"},     {"null", "Hi zoo", "MnMiR_UUUQ<|endoftext|>M"},
        {"template", "HELLO", "OOORlQnMccQQ"}, {"template", "Hi zoo", "dFOMUcKWJGMM"},
        {"sequence", "HELLO", "OOORlQnMccQQ"}, {"roberta", "HELLO", "OORHJRHcRPHM"},
        {"roberta", "Hi zoo", "OmdOMZnOPOZH"}, {"template", "<|endoftext|>HELLO", "OOORlQnMccQQ"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_folder(cases[i][0], NULL, NULL);
        check_round_trip(cases[i][1], cases[i][2]);
    }
}
END_TEST

START_TEST(texts_end_as_the_configs_say) {
    static const struct {
        const char *eos, *generation, *text;
    } cases[] = {{"26", NULL, "UQ"},
                 {"[31, 36]", NULL, "UQZUUZUQ"},
                 {"null", NULL, "UQZUUZUQd_Ud"},
                 {"-1", NULL, "UQZUUZUQd_Ud"},
                 {"26", "{\"eos_token_id\": 36}", "UQZUUZUQ"},
                 {"26", "{\"eos_token_id\": [31, 17, 99]}", "U"},
                 {"26", "{\"bos_token_id\": 1}", "UQZUUZUQd_Ud"},
                 {"26", "{\"eos_token_id\": null}", "UQZUUZUQd_Ud"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_folder("null", cases[i].eos, cases[i].generation);
        check_round_trip("HELLO", cases[i].text);
    }
}
END_TEST

START_TEST(ends_that_are_none_are_refused) {
    static const char *const cases[] = {"\"</s>\"", "[1, \"x\"]", "2.5", "true", "4294967296"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_folder("null", cases[i], NULL);
        check_import_refused("hf", temporary_path("hf"), "config.json: key `eos_token_id`",
                             "must be a token id, a list");
    }
    make_folder("null", "2", "{\"eos_token_id\": {}}");
    check_import_refused("hf", temporary_path("hf"), "generation_config.json: key `eos_token_id`",
                         "must be a token id");
}
END_TEST

/* An added token may lie beyond the model; a prompt that has it is refused. */
START_TEST(added_tokens_may_lie_beyond_the_model) {
    make_folder("null", NULL, NULL);
    json_t *root = json_load_file(temporary_path("hf/tokenizer.json"), 0, NULL);
    json_array_append_new(json_object_get(root, "added_tokens"),
                          json_pack("{s:i, s:s}", "id", 48, "content", "[PAD]"));
    dump(root, "hf/tokenizer.json");
    check_round_trip("HELLO", "UQZUUZUQd_Ud");
    mneme_generator *generator;
    mneme_error error = {0};
    char *text;
    assert_ok(mneme_generator_open(temporary_path("a"), &generator, &error), &error);
    assert_refused(mneme_generate(generator, "HE[PAD]", 3, &text, NULL, &error), &error,
                   MNEME_BAD_INPUT, "prompt: id 48", "ids 0 to 47");
    mneme_generator_close(generator);
}
END_TEST

Suite *text_ends_suite(void) {
    Suite *suite = suite_create("text_ends");
    TCase *cases = tcase_create("text_ends");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, prompts_start_as_the_post_processor_says);
    tcase_add_test(cases, texts_end_as_the_configs_say);
    tcase_add_test(cases, ends_that_are_none_are_refused);
    tcase_add_test(cases, added_tokens_may_lie_beyond_the_model);
    suite_add_tcase(suite, cases);
    return suite;
}
