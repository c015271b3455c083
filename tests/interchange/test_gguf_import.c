/* GGUF files in: one that the package `gguf` wrote (make_gguf.py), and what is refused. */

#include <mneme/generate.h>

#include "base/digest.h"
#include "tests/interchange/imports.h"

#define TINY "tests/interchange/tiny.gguf"

static void check_tensor(struct model *model, const char *name, const char *sha256) {
    struct digest digest;
    mneme_error error = {0};
    const struct parameter *p = model_parameter(model, name);
    ck_assert_msg(p != NULL, "no %s", name);
    assert_ok(digest_of_bytes(p->data, p->count * sizeof(float), &digest, &error), &error);
    ck_assert_msg(strcmp(digest.hex, sha256) == 0, "%s differs", name);
}

/* tiny_gguf.txt has the digest of each tensor as the package widens it. */
START_TEST(weights_are_those_of_the_package) {
    struct model model;
    mneme_error error = {0};
    char name[128], sha256[65];
    size_t n = 0;
    import(NULL, TINY, temporary_path("m"));
    assert_ok(model_load(temporary_path("m"), &model, &error), &error);
    FILE *lines = fopen("tests/interchange/tiny_gguf.txt", "r");
    ck_assert_ptr_nonnull(lines);
    for (; fscanf(lines, "%127s %64s", name, sha256) == 2; n++) check_tensor(&model, name, sha256);
    fclose(lines);
    ck_assert_uint_eq(n, model.n_parameters);
    /* Those of 16 bits stay so, quantized ones are f32. */
    ck_assert_int_eq(model.layers[0].w1->file_type, STORED_BF16);
    ck_assert_int_eq(model.layers[1].wk->file_type, STORED_F16);
    ck_assert_int_eq(model.layers[1].w1->file_type, STORED_F32);
    ck_assert(model.config.tied_output);
    ck_assert_float_eq(model.config.rope_theta, 5000.0f);
    ck_assert_float_eq(model.config.norm_eps, 1e-5f);
    ck_assert_uint_eq(model.config.max_seq_len, 64);
    model_close(&model);
}
END_TEST

START_TEST(the_tokenizer_comes_along) {
    mneme_generator *generator;
    mneme_error error = {0};
    char *text;
    import("gguf", TINY, temporary_path("m"));
    ck_assert(file_exists(temporary_path("m/tokenizer.json")));
    ck_assert(file_exists(temporary_path("m/generation_config.json")));
    assert_ok(mneme_generator_open(temporary_path("m"), &generator, &error), &error);
    assert_ok(mneme_generate(generator, "abab", 4, &text, NULL, &error), &error);
    free(text);
    mneme_generator_close(generator);
}
END_TEST

/* The fixture with one occurrence of `old` overwritten by as many bytes. */
static const char *changed(const char *old, const char *new) {
    char *bytes;
    size_t length;
    mneme_error error = {0};
    assert_ok(file_read(TINY, 1 << 20, &bytes, &length, &error), &error);
    char *at = memmem(bytes, length, old, strlen(old));
    ck_assert_ptr_nonnull(at);
    ck_assert_uint_eq(strlen(old), strlen(new));
    memcpy(at, new, strlen(new));
    temporary_write("changed.gguf", bytes, length);
    free(bytes);
    return temporary_path("changed.gguf");
}

START_TEST(what_is_another_model_is_refused) {
    check_import_refused("gguf", changed("blk.0.attn_q.weight", "blk.0.attn_q.wrong!"),
                         "changed.gguf: no tensor", "`blk.0.attn_q.weight`");
    check_import_refused(
        "gguf", changed("llama.rope.dimension_count", "llama.rope.dimension_counT"),
        "changed.gguf: llama.rope.dimension_counT", "is 8, which is not supported");
    check_import_refused("gguf", changed("general.architecture", "general.architectura"),
                         "changed.gguf: general.architecture", "missing");
    check_import_refused("gguf", changed("llama.feed_forward_length", "llama.feed_forward_lengtH"),
                         "changed.gguf", "intermediate_size");
    check_import_refused("gguf", changed("llama", "gemma"), "changed.gguf: general.architecture",
                         "is gemma, must be llama, qwen2 or qwen3");
}
END_TEST

/* The scaled model of write_families.py with other factors; from its 8 on, all are 8. */
static const char *with_factors(const float factors[8]) {
    char *bytes;
    size_t length;
    mneme_error error = {0};
    const float eight = 8.0f, two[2] = {1.0f, 1.0f};
    assert_ok(file_read("tests/interchange/families/llama-llama3/model.gguf", 1 << 20, &bytes,
                        &length, &error),
              &error);
    char *at = memmem(bytes, length, two, sizeof two);
    ck_assert_ptr_nonnull(at);
    ck_assert_mem_eq(at + 7 * sizeof eight, &eight, sizeof eight);
    memcpy(at, factors, 8 * sizeof *factors);
    temporary_write("other.gguf", bytes, length);
    free(bytes);
    return temporary_path("other.gguf");
}

START_TEST(factors_of_no_known_scaling_are_refused) {
    static const float factors[8] = {1, 1, 2, 3, 8, 8, 8, 7};
    check_import_refused("gguf", with_factors(factors), "other.gguf: tensor `rope_freqs.",
                         "not the factors of Llama 3's RoPE");
}
END_TEST

/* By rope_factors of write_families.py, with low and high factors and lengths 1, 2, 32; 1, 1.5, 32;
 * 0.5, 1, 24. */
START_TEST(unusual_factors_are_understood) {
    static const float factors[][8] = {{1, 1, 1.516948938369751f, 8, 8, 8, 8, 8},
                                       {1, 1, 1, 8, 8, 8, 8, 8},
                                       {1, 1, 1, 2.2795021533966064f, 8, 8, 8, 8}};
    const float *expected = factors[_i];
    struct model model;
    mneme_error error = {0};
    import("gguf", with_factors(expected), temporary_path("m"));
    assert_ok(model_load(temporary_path("m"), &model, &error), &error);
    struct rope scaled = model_rope(&model.config), plain = scaled;
    plain.scaling = ROPE_UNSCALED;
    for (size_t i = 0; i < 8; i++) {
        float ratio = rope_frequency(16, &plain, i) / rope_frequency(16, &scaled, i);
        ck_assert_float_eq_tol(ratio, expected[i], 4e-5f * expected[i]);
    }
    model_close(&model);
}
END_TEST

/* The model comes without it, and the reason is told. */
START_TEST(an_unknown_tokenizer_stays_behind) {
    mneme_interchange_result result;
    mneme_error error = {0};
    const char *path = changed("smollm", "smolln");
    assert_ok(mneme_import("gguf", path, temporary_path("m"), NULL, &result, &error), &error);
    ck_assert(!result.has_tokenizer);
    ck_assert_ptr_nonnull(strstr(result.tokenizer_problem, "`smolln`"));
    ck_assert(!file_exists(temporary_path("m/tokenizer.json")));
    ck_assert(!file_exists(temporary_path("m/generation_config.json")));
}
END_TEST

/* The file is named in which it stands, not the one that was made of it. */
START_TEST(a_lying_tokenizer_is_the_files) {
    mneme_interchange_result result;
    mneme_error error = {0};
    const char *path = changed("ab ab", "ab aB");
    assert_ok(mneme_import("gguf", path, temporary_path("m"), NULL, &result, &error), &error);
    ck_assert(!result.has_tokenizer);
    ck_assert_ptr_nonnull(
        strstr(result.tokenizer_problem, "changed.gguf: tokenizer.json: model.merges[1]"));
    ck_assert_ptr_null(strstr(result.tokenizer_problem, "partial"));
}
END_TEST

Suite *gguf_import_suite(void);
Suite *gguf_import_suite(void) {
    Suite *suite = suite_create("gguf_import");
    TCase *tests = tcase_create("gguf");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, weights_are_those_of_the_package);
    tcase_add_test(tests, the_tokenizer_comes_along);
    tcase_add_test(tests, what_is_another_model_is_refused);
    tcase_add_test(tests, factors_of_no_known_scaling_are_refused);
    tcase_add_loop_test(tests, unusual_factors_are_understood, 0, 3);
    tcase_add_test(tests, an_unknown_tokenizer_stays_behind);
    tcase_add_test(tests, a_lying_tokenizer_is_the_files);
    suite_add_tcase(suite, tests);
    return suite;
}
