/* Adapters of peft, merged. tests/interchange/peft is peft 0.21's own (write_peft.py), with the
 * weights that its merge_and_unload leaves. */

#include <mneme/interchange.h>

#include <jansson.h>
#include <math.h>

#include "base/file.h"
#include "base/path.h"
#include "tensor/safetensors.h"
#include "tests/interchange/imports.h"

#define HF_LLAMA "tests/interchange/hf_llama"
#define PEFT "tests/interchange/peft"
#define MOST 1024

/* The numbers of a tensor as they stand in a file. */
static size_t read_tensor(const char *path, const char *name, float *numbers) {
    struct safetensors file;
    mneme_error error = {0};
    assert_ok(safetensors_open(&file, path, &error), &error);
    const struct safetensors_entry *entry = safetensors_find(&file, name);
    ck_assert_ptr_nonnull(entry);
    size_t n = entry->bytes / sizeof(float);
    ck_assert_uint_le(n, MOST);
    assert_ok(
        safetensors_read_f32(&file, name, entry->tensor.rank, entry->tensor.shape, numbers, &error),
        &error);
    safetensors_close(&file);
    return n;
}

START_TEST(a_merged_adapter_is_as_peft_merges_it) {
    static const char *const names[] = {
        "model.layers.0.self_attn.q_proj.weight", "model.layers.1.self_attn.q_proj.weight",
        "model.layers.0.self_attn.k_proj.weight", "model.layers.1.self_attn.k_proj.weight",
        "model.layers.0.mlp.down_proj.weight",    "model.layers.1.mlp.down_proj.weight",
        "model.layers.0.self_attn.v_proj.weight", "model.layers.1.mlp.up_proj.weight"};
    const mneme_interchange_options options = {.adapter = PEFT};
    static float base[MOST], ours[MOST], theirs[MOST];
    mneme_interchange_result result;
    mneme_error error = {0};
    assert_ok(mneme_import("hf", HF_LLAMA, temporary_path("m"), &options, &result, &error), &error);
    assert_ok(mneme_export("hf", temporary_path("m"), temporary_path("x"), NULL, &result, &error),
              &error);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = read_tensor(temporary_path("x/model.safetensors"), names[i], ours), changed = 0;
        ck_assert_uint_eq(read_tensor(PEFT "/merged.safetensors", names[i], theirs), n);
        read_tensor(HF_LLAMA "/model.safetensors", names[i], base);
        for (size_t j = 0; j < n; j++) {
            /* A few units in the last place of sums of six numbers of this size. */
            ck_assert_float_le(fabsf(ours[j] - theirs[j]), 2e-6f);
            changed += theirs[j] != base[j];
        }
        ck_assert_uint_eq(changed > n / 2, i < 6);
    }
}
END_TEST

/* The adapter with a key changed (NULL: removed); takes the value. */
static void check_changed_refused(const char *key, json_t *value, const char *cause) {
    const mneme_interchange_options options = {.adapter = temporary_folder};
    mneme_interchange_result result;
    mneme_error error = {0};
    char *bytes;
    size_t length;
    json_t *config = json_load_file(PEFT "/adapter_config.json", 0, NULL);
    json_object_set_new(config, key, value);
    ck_assert_int_eq(json_dump_file(config, temporary_path("adapter_config.json"), 0), 0);
    json_decref(config);
    assert_ok(file_read(PEFT "/adapter_model.safetensors", 1 << 20, &bytes, &length, &error),
              &error);
    temporary_write("adapter_model.safetensors", bytes, length);
    free(bytes);
    assert_refused(mneme_import("hf", HF_LLAMA, temporary_path("m"), &options, &result, &error),
                   &error, MNEME_BAD_INPUT, temporary_folder, cause);
    ck_assert(!file_exists(temporary_path("m")));
}

START_TEST(other_adapters_are_refused) {
    check_changed_refused("peft_type", json_string("LOHA"), "must be \"LORA\"");
    check_changed_refused("use_dora", json_true(), "`use_dora`: is true");
    check_changed_refused("bias", json_string("all"), "must be \"none\"");
    check_changed_refused("modules_to_save", json_pack("[s]", "lm_head"), "[\"lm_head\"]");
    check_changed_refused("fan_in_fan_out", json_true(), "`fan_in_fan_out`: is true");
    check_changed_refused("lora_bias", json_true(), "`lora_bias`: is true");
    check_changed_refused("init_lora_weights", json_string("pissa"), "changes the base model");
    check_changed_refused("trainable_token_indices", json_pack("[i]", 3), "is [3]");
    check_changed_refused("rank_pattern", json_object(), "shape");
    check_changed_refused("r", json_integer(0), "must be an integer from 1");
    check_changed_refused("lora_alpha", json_string("x"), "`lora_alpha`");
    check_changed_refused("rank_pattern", json_pack("{s:i}", "(", 2), "is no pattern");
    check_changed_refused("alpha_pattern", json_pack("{s:s}", "q_proj", "x"), "must be a number");
    check_changed_refused("target_modules", json_pack("[s]", "q_proj"), "does not name `model.");
    check_changed_refused("target_modules", json_string("("), "is no pattern");
    check_changed_refused("some_new_thing", json_integer(2), "`some_new_thing`: is 2");
}
END_TEST

Suite *peft_suite(void) {
    Suite *suite = suite_create("peft");
    TCase *cases = tcase_create("peft");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, a_merged_adapter_is_as_peft_merges_it);
    tcase_add_test(cases, other_adapters_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
