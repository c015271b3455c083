/* Foreign models in and out. tests/interchange/hf_llama is transformers' own, with its logits. */

#include <mneme/generate.h>
#include <mneme/interchange.h>

#include <jansson.h>

#include "base/file.h"
#include "base/path.h"
#include "model/batch_builder.h"
#include "model/model.h"
#include "model/pass.h"
#include "reference/measure.h"
#include "smf/model_background.h"
#include "tensor/safetensors.h"
#include "tests/interchange/imports.h"
#include "tests/temporary.h"

#define HF_LLAMA "tests/interchange/hf_llama"
#define N_SEQUENCES 8
#define LENGTH 40
#define N_TOKENS (N_SEQUENCES * LENGTH)
#define VOCABULARY 48

static void check_same_files(const char *a, const char *b) {
    char *bytes[2];
    size_t length[2];
    mneme_error error;
    assert_ok(file_read(a, 1 << 20, &bytes[0], &length[0], &error), &error);
    assert_ok(file_read(b, 1 << 20, &bytes[1], &length[1], &error), &error);
    ck_assert_uint_eq(length[0], length[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], length[0]);
    free(bytes[0]);
    free(bytes[1]);
}

/* Logits [N_TOKENS, VOCABULARY] of a model folder. */
static void run(const char *folder, const int32_t *tokens, float *logits) {
    struct model model;
    struct pass pass;
    struct batch_builder builder;
    mneme_error error = {0};
    assert_ok(model_load(folder, &model, &error), &error);
    assert_ok(pass_open(&pass, &model, N_TOKENS, false, &error), &error);
    assert_ok(batch_builder_open(&builder, N_TOKENS, &error), &error);
    for (size_t i = 0; i < N_SEQUENCES; i++) {
        ck_assert(batch_builder_add(&builder, LENGTH, tokens + i * LENGTH, NULL, 0));
    }
    struct batch batch = batch_builder_whole(&builder);
    assert_ok(model_forward(&pass, &batch, NULL, &error), &error);
    model_logits(&pass, N_TOKENS, pass.activations.output_normed, logits);
    batch_builder_close(&builder);
    pass_close(&pass);
    model_close(&model);
}

START_TEST(logits_are_as_near_as_transformers_own) {
    static float ours[N_TOKENS * VOCABULARY], theirs[N_TOKENS * VOCABULARY];
    static double exact[N_TOKENS * VOCABULARY];
    const size_t shape[2] = {N_TOKENS, VOCABULARY};
    int32_t tokens[N_TOKENS];
    struct safetensors file;
    mneme_error error = {0};
    assert_ok(safetensors_open(&file, HF_LLAMA "/logits.safetensors", &error), &error);
    assert_ok(safetensors_read_i32(&file, "tokens", 1, shape, tokens, &error), &error);
    assert_ok(safetensors_read_f32(&file, "logits", 2, shape, theirs, &error), &error);
    assert_ok(safetensors_read_exact(&file, "exact", TENSOR_F64, 2, shape, exact, &error), &error);
    safetensors_close(&file);
    import("hf", HF_LLAMA, temporary_path("m"));
    run(temporary_path("m"), tokens, ours);
    mneme_reference_row row = {.here = measure_errors(N_TOKENS * VOCABULARY, theirs, exact),
                               .ours = measure_errors(N_TOKENS * VOCABULARY, ours, exact)};
    ck_assert_msg(measure_is_within_here(&row),
                  "relative error %g, worst %g ULP; transformers' %g, %g", row.ours.relative,
                  row.ours.ulp, row.here.relative, row.here.ulp);
}
END_TEST

START_TEST(what_was_imported_exports_to_the_same_bytes) {
    mneme_interchange_result result;
    mneme_error error = {0};
    struct model model;
    import("hf", HF_LLAMA, temporary_path("a"));
    assert_ok(mneme_export("hf", temporary_path("a"), temporary_path("b"), NULL, &result, &error),
              &error);
    ck_assert_uint_eq(result.n_tensors, 21);
    check_same_files(temporary_path("b/model.safetensors"), HF_LLAMA "/model.safetensors");
    import("hf", temporary_path("b"), temporary_path("c"));
    assert_ok(model_load(temporary_path("a"), &model, &error), &error);
    check_same_model(temporary_path("c"), &model);
    model_close(&model);
}
END_TEST

/* A copy of hf_llama whose config has one key changed (NULL: removed). Takes the value. */
static void copy_changed(const char *key, json_t *value) {
    char *bytes;
    size_t length;
    mneme_error error;
    json_t *config = json_load_file(HF_LLAMA "/config.json", 0, NULL);
    ck_assert_ptr_nonnull(config);
    if (value == NULL) {
        json_object_del(config, key);
    } else {
        json_object_set_new(config, key, value);
    }
    ck_assert_int_eq(json_dump_file(config, temporary_path("config.json"), 0), 0);
    json_decref(config);
    assert_ok(file_read(HF_LLAMA "/model.safetensors", 1 << 20, &bytes, &length, &error), &error);
    temporary_write("model.safetensors", bytes, length);
    free(bytes);
}

static void check_changed_refused(const char *key, json_t *value, const char *cause) {
    copy_changed(key, value);
    check_import_refused("hf", temporary_folder, temporary_folder, cause);
}

START_TEST(other_llamas_are_refused) {
    check_changed_refused("model_type", json_string("smollm3"), "must be \"llama\"");
    check_changed_refused("model_type", json_string("qwen2"),
                          "no tensor `model.layers.0.self_attn.");
    check_changed_refused("model_type", NULL, "`model_type`: missing");
    check_changed_refused("hidden_act", json_string("gelu"), "must be \"silu\"");
    check_changed_refused("attention_bias", json_true(), "no tensor `model.layers.0.self_attn.");
    check_changed_refused("attention_bias", json_string("qkv"), "must be true or false");
    check_changed_refused("head_dim", json_integer(8), "shape is [16,16], must be [32,16]");
    check_changed_refused("head_dim", json_integer(7), "`head_dim`: is 7, must be even");
    check_changed_refused("quantization_config", json_pack("{s:s}", "quant_method", "gptq"),
                          "is {\"quant_method\":\"gptq\"}, not supported");
    check_changed_refused("intermediate_size", NULL, "missing");
    /* Room for none of these is made. */
    check_changed_refused("vocab_size", json_integer(1 << 20), "shape is [48,16], must be");
    check_changed_refused("hidden_size", json_integer(65536), "shape is [48,16], must be");
    check_changed_refused("num_hidden_layers", json_integer(1024), "no tensor `model.layers.2.");
    check_changed_refused("num_hidden_layers", json_integer(1), "no such parameter");
    copy_changed("head_dim", json_null());
    import("hf", temporary_folder, temporary_path("m"));
    check_import_refused("onnx", temporary_folder, "format onnx",
                         "must be hf, gguf, lingua, llama2c or mneme");
}
END_TEST

static void check_rope_refused(const char *key, const char *value, const char *cause) {
    check_changed_refused(key, json_loads(value, 0, NULL), cause);
}

START_TEST(other_kinds_of_rope_are_refused) {
    check_rope_refused("rope_scaling", "{\"rope_type\": \"yarn\", \"factor\": 4.0}",
                       "key `rope_scaling.rope_type`: must be \"default\", \"linear\" or ");
    check_rope_refused("rope_scaling", "{\"type\": \"dynamic\", \"factor\": 2.0}",
                       "key `rope_scaling.type`: must be");
    check_rope_refused("rope_scaling", "{\"rope_type\": \"longrope\", \"short_factor\": [1]}",
                       "must be \"default\"");
    check_rope_refused("rope_scaling", "{\"type\": \"linear\"}", "`rope_scaling.factor`: missing");
    check_rope_refused("rope_scaling", "{\"type\": \"linear\", \"factor\": 0}",
                       "`rope_scaling.factor`: must be a number from");
    check_rope_refused("rope_scaling",
                       "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 4.0, "
                       "\"high_freq_factor\": 4.0}",
                       "`rope_scaling.high_freq_factor`: must be above");
    check_rope_refused("rope_parameters", "{\"mrope_section\": [1, 2]}", "mrope_section`: unknown");
    check_changed_refused("rope_theta", json_real(600.0),
                          "`rope_theta`: is 600, but RoPE's own object says 500");
    check_rope_refused("rope_scaling", "{\"type\": \"linear\", \"factor\": 2.0}",
                       "`rope_parameters`: says otherwise than rope_scaling");
    check_rope_refused("rope_parameters", "{\"partial_rotary_factor\": 0.5}",
                       "partial_rotary_factor`: must be a number from 1 to 1");
    check_rope_refused("rope_parameters", "{\"full_attention\": {\"rope_type\": \"default\"}}",
                       "full_attention`: unknown");
}
END_TEST

/* A Mistral and a Qwen2 of whose window the config says something. */
static void check_window(const char *changes, const char *cause) {
    const char *key;
    json_t *value, *object = json_loads(changes, 0, NULL);
    ck_assert_ptr_nonnull(object);
    copy_changed("bos_token_id", NULL);
    json_t *config = json_load_file(temporary_path("config.json"), 0, NULL);
    json_object_foreach(object, key, value) json_object_set(config, key, value);
    ck_assert_int_eq(json_dump_file(config, temporary_path("config.json"), 0), 0);
    json_decref(config);
    json_decref(object);
    check_import_refused("hf", temporary_folder, temporary_folder, cause);
}

/* What is a Qwen2 otherwise is refused for its biases, which the weights have not. */
START_TEST(sliding_windows_are_refused) {
    static const char fine[] = "no tensor `model.layers.0.self_attn.q_proj.bias`";
    check_window("{\"model_type\": \"mistral\", \"max_position_embeddings\": 8192}",
                 "`sliding_window`: is 4096, must be null");
    check_window("{\"model_type\": \"mistral\", \"sliding_window\": 32}",
                 "`sliding_window`: is 32");
    check_window(
        "{\"model_type\": \"qwen2\", \"use_sliding_window\": true, "
        "\"sliding_window\": 32, \"max_window_layers\": 1}",
        "`sliding_window`: is 32");
    check_window(
        "{\"model_type\": \"qwen2\", \"use_sliding_window\": true, "
        "\"sliding_window\": 32, \"max_window_layers\": 2}",
        fine);
    check_window(
        "{\"model_type\": \"qwen2\", \"use_sliding_window\": false, "
        "\"sliding_window\": 32, \"max_window_layers\": 1}",
        fine);
    check_window(
        "{\"model_type\": \"qwen2\", \"layer_types\": [\"full_attention\", "
        "\"sliding_attention\"]}",
        "`layer_types`: is [");
}
END_TEST

/* Version 4 of transformers passes over such an output, version 5 takes it. */
START_TEST(an_output_beside_a_tied_embedding_must_be_the_embedding) {
    copy_changed("tie_word_embeddings", json_true());
    check_import_refused("hf", temporary_folder, temporary_folder,
                         "`lm_head.weight`: is not the embedding");
}
END_TEST

START_TEST(a_tokenizer_comes_along) {
    mneme_interchange_result result;
    mneme_error error = {0};
    char *bytes;
    size_t length;
    copy_changed("head_dim", NULL);
    assert_ok(file_read("tests/tokenizers/gpt2.json", 1 << 20, &bytes, &length, &error), &error);
    temporary_write("tokenizer.json", bytes, length);
    free(bytes);
    assert_ok(mneme_import("hf", temporary_folder, temporary_path("m"), NULL, &result, &error),
              &error);
    ck_assert_int_eq(result.has_tokenizer, 0); /* of more tokens than the model has */
    ck_assert_ptr_nonnull(strstr(result.tokenizer_problem, "vocab_size is 48"));
    mneme_generator *generator;
    char *text;
    assert_ok(mneme_generator_open(temporary_path("m"), &generator, &error), &error);
    assert_refused(mneme_generate(generator, "x", 3, &text, NULL, &error), &error, MNEME_BAD_INPUT,
                   "tokenizer.json", "only token ids");
    int32_t ids[3];
    size_t n;
    assert_refused(mneme_generate_ids(generator, (int32_t[]){48}, 1, 3, -1, ids, &n, &error),
                   &error, MNEME_BAD_INPUT, "prompt: id 48", "ids 0 to 47");
    assert_ok(mneme_generate_ids(generator, (int32_t[]){1}, 1, 3, -1, ids, &n, &error), &error);
    ck_assert_uint_eq(n, 3);
    mneme_generator_close(generator);
}
END_TEST

/* Configs of real models with versions 4 and 5 of transformers: their keys that are no size. */
START_TEST(harmless_keys_pass) {
    static const char *const cases[] = {
        /* SmolLM2 */
        "{\"is_llama_config\": true, \"rope_interleaved\": false, \"rope_scaling\": null, "
        "\"transformers.js_config\": {\"kv_cache_dtype\": {\"q4f16\": \"float16\"}}}",
        /* Llama 2, Vicuna, TinyLlama */
        "{\"_name_or_path\": \"x\", \"max_length\": 4096, \"pretraining_tp\": 1, "
        "\"max_sequence_length\": 2048, \"temperature\": 0.9, \"torch_dtype\": \"float16\", "
        "\"architectures\": [\"LLaMAForCausalLM\"]}",
        /* version 5 */
        "{\"dtype\": \"bfloat16\", \"layer_types\": [\"full_attention\", \"full_attention\"], "
        "\"rope_parameters\": {\"rope_theta\": 500.0, \"rope_type\": \"default\", "
        "\"partial_rotary_factor\": 1.0}}",
        /* Mistral, with a window that never acts */
        "{\"model_type\": \"mistral\", \"architectures\": [\"MistralForCausalLM\"], "
        "\"sliding_window\": null}",
        "{\"model_type\": \"mistral\", \"sliding_window\": 64}",
        /* off, whatever it may be */
        "{\"qk_norm\": false, \"logits_scaling\": 1.0, \"num_experts\": 0, \"moe\": null}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *key;
        json_t *value, *changes = json_loads(cases[i], 0, NULL);
        ck_assert_ptr_nonnull(changes);
        copy_changed("bos_token_id", json_integer(1));
        json_t *config = json_load_file(temporary_path("config.json"), 0, NULL);
        json_object_foreach(changes, key, value) json_object_set(config, key, value);
        ck_assert_int_eq(json_dump_file(config, temporary_path("config.json"), 0), 0);
        json_decref(config);
        json_decref(changes);
        import("hf", temporary_folder, temporary_path("m"));
    }
}
END_TEST

START_TEST(keys_that_change_what_is_computed_are_refused) {
    check_changed_refused("qk_norm", json_true(), "`qk_norm`: is true, which mneme does not know");
    check_changed_refused("use_sliding_window", json_true(), "`use_sliding_window`: is true");
    check_changed_refused("sliding_window", json_integer(8),
                          "`sliding_window`: is 8, must be null");
    check_changed_refused("layer_types", json_pack("[s]", "sliding_attention"),
                          "`layer_types`: is [\"sliding_attention\"]");
    check_changed_refused("mlp_bias", json_true(), "no tensor `model.layers.0.mlp.");
    check_changed_refused("rope_factor", json_real(2.0), "`rope_factor`: is 2.0, which mneme");
    check_changed_refused("partial_rotary_factor", json_real(0.5),
                          "`partial_rotary_factor`: is 0.5");
    check_changed_refused("logits_scaling", json_integer(8), "`logits_scaling`: is 8");
    check_changed_refused("attention_multiplier", json_real(0.015625),
                          "attention_multiplier`: is ");
    check_changed_refused("num_local_experts", json_integer(8), "`num_local_experts`: is 8");
    check_changed_refused("final_logit_softcapping", json_real(30.0),
                          "final_logit_softcapping`: is");
    check_changed_refused("architectures", json_pack("[s]", "LlamaForSequenceClassification"),
                          "`architectures`: is [\"LlamaForSequenceClassification\"]");
}
END_TEST

Suite *interchange_suite(void) {
    Suite *suite = suite_create("interchange");
    TCase *cases = tcase_create("interchange");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, logits_are_as_near_as_transformers_own);
    tcase_add_test(cases, what_was_imported_exports_to_the_same_bytes);
    tcase_add_test(cases, other_llamas_are_refused);
    tcase_add_test(cases, other_kinds_of_rope_are_refused);
    tcase_add_test(cases, sliding_windows_are_refused);
    tcase_add_test(cases, an_output_beside_a_tied_embedding_must_be_the_embedding);
    tcase_add_test(cases, a_tokenizer_comes_along);
    tcase_add_test(cases, harmless_keys_pass);
    tcase_add_test(cases, keys_that_change_what_is_computed_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
