/* Models of every family and option, by transformers (write_families.py): their logits, the same
 * models as GGUF, and exports. */

#include <mneme/interchange.h>

#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"
#include "model/batch_builder.h"
#include "model/pass.h"
#include "reference/measure.h"
#include "tensor/safetensors.h"
#include "tests/interchange/imports.h"

#define FAMILIES "tests/interchange/families"
#define LENGTH 24
#define N_TOKENS 48
#define VOCABULARY 32

/* Each folder, the family that an export of it names, and flags of the config that it shows. */
static const struct {
    const char *name, *exported;
    enum attention_bias bias;
    bool mlp_bias, qk_norm;
    size_t head_dim; /* 0: dim / n_heads */
    enum rope_scaling scaling;
} models[] = {
    {"llama-biases", "llama", ATTENTION_BIAS_QKVO, true, false, 0, ROPE_UNSCALED},
    {"llama-head-dim", "llama", ATTENTION_BIAS_NONE, false, false, 6, ROPE_UNSCALED},
    {"llama-linear", "llama", ATTENTION_BIAS_NONE, false, false, 0, ROPE_LINEAR},
    {"llama-llama3", "llama", ATTENTION_BIAS_NONE, false, false, 16, ROPE_LLAMA3},
    {"mistral", "llama", ATTENTION_BIAS_NONE, false, false, 6, ROPE_UNSCALED},
    {"qwen2-v4", "qwen2", ATTENTION_BIAS_QKV, false, false, 0, ROPE_UNSCALED},
    {"qwen2-v5", "qwen2", ATTENTION_BIAS_QKV, false, false, 0, ROPE_UNSCALED},
    {"qwen3-v4", "qwen3", ATTENTION_BIAS_QKVO, false, true, 0, ROPE_UNSCALED},
    {"qwen3-v5", "qwen3", ATTENTION_BIAS_NONE, false, true, 8, ROPE_UNSCALED},
};
#define N_MODELS ((int)(sizeof models / sizeof *models))

static const char *path_of(int i, const char *file) {
    static char path[256];
    snprintf(path, sizeof path, FAMILIES "/%s%s", models[i].name, file);
    return path;
}

/* What transformers computed. */
struct expected {
    int32_t tokens[N_TOKENS];
    float found[N_TOKENS * VOCABULARY];
    double exact[N_TOKENS * VOCABULARY];
    mneme_reference_error largest; /* of its float32, in 16 such models */
};

static double number(const struct safetensors *file, const char *key) {
    const char *text = safetensors_metadata_get(file, key);
    ck_assert_ptr_nonnull(text);
    return strtod(text, NULL);
}

static void read_expected(int i, struct expected *e) {
    const size_t shape[2] = {N_TOKENS, VOCABULARY};
    struct safetensors file;
    mneme_error error = {0};
    assert_ok(safetensors_open(&file, path_of(i, "/logits.safetensors"), &error), &error);
    assert_ok(safetensors_read_i32(&file, "tokens", 1, shape, e->tokens, &error), &error);
    assert_ok(safetensors_read_f32(&file, "logits", 2, shape, e->found, &error), &error);
    assert_ok(safetensors_read_exact(&file, "exact", TENSOR_F64, 2, shape, e->exact, &error),
              &error);
    e->largest = (mneme_reference_error){number(&file, "relative"), number(&file, "worst")};
    safetensors_close(&file);
}

/* Logits of the model folder, all tokens at once or one by one with a cache. */
static void run(const char *folder, const int32_t *tokens, bool cached, float *logits) {
    struct model model;
    struct pass pass;
    struct batch_builder builder;
    struct kv_cache cache;
    mneme_error error = {0};
    assert_ok(model_load(folder, &model, &error), &error);
    assert_ok(pass_open(&pass, &model, N_TOKENS, false, &error), &error);
    assert_ok(pass_pack(&pass, model.config.n_layers, &error), &error);
    assert_ok(batch_builder_open(&builder, N_TOKENS, &error), &error);
    assert_ok(kv_cache_open(&cache, &model.config, 2, &error), &error);
    assert_ok(kv_cache_grow(&cache, LENGTH, &error), &error);
    const size_t rows[2] = {0, 1}, step = cached ? 1 : LENGTH;
    for (size_t at = 0; at < LENGTH; at += step) {
        const size_t pasts[2] = {at, at};
        const struct continuation continuation = {&cache, pasts, rows};
        batch_builder_clear(&builder);
        for (size_t s = 0; s < 2; s++) {
            ck_assert(batch_builder_add(&builder, step, tokens + s * LENGTH + at, NULL, at));
        }
        struct batch batch = batch_builder_whole(&builder);
        assert_ok(model_forward(&pass, &batch, cached ? &continuation : NULL, &error), &error);
        for (size_t s = 0; s < 2; s++) {
            model_logits(&pass, step, pass.activations.output_normed + s * step * model.config.dim,
                         logits + (s * LENGTH + at) * VOCABULARY);
        }
    }
    kv_cache_close(&cache);
    batch_builder_close(&builder);
    pass_close(&pass);
    model_close(&model);
}

START_TEST(logits_are_as_near_as_transformers_own) {
    static struct expected e;
    static float ours[N_TOKENS * VOCABULARY], cached[N_TOKENS * VOCABULARY];
    read_expected(_i, &e);
    import(NULL, path_of(_i, ""), temporary_path("m"));
    run(temporary_path("m"), e.tokens, false, ours);
    run(temporary_path("m"), e.tokens, true, cached);
    ck_assert_mem_eq(ours, cached, sizeof ours);
    const mneme_reference_row row = {
        .n = N_TOKENS * VOCABULARY,
        .here = measure_errors(N_TOKENS * VOCABULARY, e.found, e.exact),
        .theirs = e.largest,
        .ours = measure_errors(N_TOKENS * VOCABULARY, ours, e.exact)};
    ck_assert_msg(measure_is_equivalent(&row),
                  "%s: relative error %g, worst %g ULP; transformers' %g, %g", models[_i].name,
                  row.ours.relative, row.ours.ulp, row.theirs.relative, row.theirs.ulp);
}
END_TEST

START_TEST(the_config_says_what_the_family_has) {
    struct model model;
    mneme_error error = {0};
    import(NULL, path_of(_i, ""), temporary_path("m"));
    assert_ok(model_load(temporary_path("m"), &model, &error), &error);
    ck_assert_int_eq(model.config.attention_bias, models[_i].bias);
    ck_assert_int_eq(model.config.mlp_bias, models[_i].mlp_bias);
    ck_assert_int_eq(model.config.qk_norm, models[_i].qk_norm);
    ck_assert_uint_eq(model.config.head_dim, models[_i].head_dim);
    ck_assert_int_eq(model.config.rope_scaling, models[_i].scaling);
    ck_assert_int_eq(model.config.rope_rule, ROPE_OF_TRANSFORMERS);
    model_close(&model);
}
END_TEST

START_TEST(the_same_model_as_gguf_is_the_same) {
    struct model model;
    mneme_error error = {0};
    import(NULL, path_of(_i, ""), temporary_path("m"));
    assert_ok(model_load(temporary_path("m"), &model, &error), &error);
    import(NULL, path_of(_i, "/model.gguf"), temporary_path("g"));
    check_same_model(temporary_path("g"), &model);
    model_close(&model);
}
END_TEST

static void check_same_file(const char *a, const char *b) {
    struct digest of_a, of_b;
    mneme_error error = {0};
    assert_ok(digest_of_file(a, (size_t)1 << 30, &of_a, &error), &error);
    assert_ok(digest_of_file(b, (size_t)1 << 30, &of_b, &error), &error);
    ck_assert_str_eq(of_a.hex, of_b.hex);
}

/* transformers wrote f32, bf16 and f16: each file of one type is, exported, the same bytes. */
START_TEST(an_export_is_the_same_model_again) {
    mneme_interchange_result result;
    mneme_error error = {0};
    struct model model;
    import(NULL, path_of(_i, ""), temporary_path("m"));
    assert_ok(model_load(temporary_path("m"), &model, &error), &error);
    assert_ok(mneme_export("hf", temporary_path("m"), temporary_path("e"), NULL, &result, &error),
              &error);
    json_t *config = json_load_file(temporary_path("e/config.json"), 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(config, "model_type")), models[_i].exported);
    json_decref(config);
    import("hf", temporary_path("e"), temporary_path("a"));
    check_same_model(temporary_path("a"), &model);
    model_close(&model);
    if (!file_exists(path_of(_i, "/model.safetensors"))) return; /* in shards */
    check_same_file(path_of(_i, "/model.safetensors"), temporary_path("e/model.safetensors"));
}
END_TEST

Suite *families_suite(void);
Suite *families_suite(void) {
    Suite *suite = suite_create("families");
    TCase *tests = tcase_create("families");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_loop_test(tests, logits_are_as_near_as_transformers_own, 0, N_MODELS);
    tcase_add_loop_test(tests, the_config_says_what_the_family_has, 0, N_MODELS);
    tcase_add_loop_test(tests, the_same_model_as_gguf_is_the_same, 0, N_MODELS);
    tcase_add_loop_test(tests, an_export_is_the_same_model_again, 0, N_MODELS);
    suite_add_tcase(suite, tests);
    return suite;
}
