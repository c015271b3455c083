#include "model/config.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/version.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "tests/temporary.h"

static const struct model_config sample = {
    .vocab_size = 1000,
    .dim = 128,
    .n_layers = 4,
    .n_heads = 4,
    .n_kv_heads = 2,
    .multiple_of = 32,
    .max_seq_len = 256,
    .norm_eps = 1e-5f,
    .rope_theta = 10000.0f,
    .tied_output = true,
    .memory = {.n_layers = 2,
               .layers = {1, 3},
               .n_keys = 64,
               .heads = 4,
               .knn = 8,
               .k_dim = 64,
               .v_dim = 96,
               .share_values = true,
               MEMORY_PLUS},
};

START_TEST(derived_sizes) {
    ck_assert_uint_eq(model_head_dim(&sample), 32);
    ck_assert_uint_eq(model_hidden_dim(&sample), 352); /* int(341.3), up to 32's next multiple */
    ck_assert_uint_eq(model_n_slots(&sample), 4096);
    ck_assert(model_layer_has_memory(&sample, 3));
    ck_assert(!model_layer_has_memory(&sample, 2));
}
END_TEST

static void check_same(const struct model_config *a, const struct model_config *b) {
    json_t *left = model_config_to_json(a), *right = model_config_to_json(b);
    ck_assert(json_equal(left, right));
    ck_assert_mem_eq(&a->norm_eps, &b->norm_eps, sizeof(float));
    ck_assert_mem_eq(&a->rope_theta, &b->rope_theta, sizeof(float));
    json_decref(left);
    json_decref(right);
}

static void check_same_variant(const struct memory_config *a, const struct memory_config *b) {
    ck_assert(a->query_bias == b->query_bias);
    ck_assert(a->swilu_projection == b->swilu_projection);
    ck_assert(a->value_proj == b->value_proj);
    ck_assert(a->gated == b->gated);
    ck_assert(a->lookup_norm == b->lookup_norm);
    ck_assert(a->peer_variant == b->peer_variant);
}

START_TEST(reads_back_what_it_wrote) {
    struct model_config odd = sample, read;
    odd.norm_eps = 1.17549449e-6f;
    odd.rope_theta = 500000.03f;
    odd.tied_output = false;
    odd.memory.share_values = false;
    struct model_config plain = sample;
    plain.memory = (struct memory_config){0};
    struct model_config gated = sample, peer = sample, bare = sample;
    gated.memory.gated = gated.memory.lookup_norm = true;
    gated.memory.query_bias = gated.memory.swilu_projection = false;
    peer.memory.peer_variant = true;
    peer.memory.swilu_projection = peer.memory.value_proj = false;
    peer.memory.v_dim = 128;
    bare.memory.swilu_projection = bare.memory.value_proj = false;
    bare.memory.v_dim = 128;
    const struct model_config *configs[] = {&sample, &odd, &plain, &gated, &peer, &bare};
    mneme_error error;
    for (int i = 0; i < 6; i++) {
        json_t *object = model_config_to_json(configs[i]), *again;
        assert_ok(json_write_file(temporary_path("c"), object, &error), &error);
        assert_ok(json_read_file(temporary_path("c"), 9999, &again, &error), &error);
        mneme_status status = model_config_from_json(again, "c", &read, &error);
        ck_assert_msg(status == MNEME_OK, "%s", error.message);
        check_same(&read, configs[i]);
        ck_assert_uint_eq(read.vocab_size, configs[i]->vocab_size);
        ck_assert_uint_eq(read.memory.n_layers, configs[i]->memory.n_layers);
        ck_assert_uint_eq(read.memory.layers[1], configs[i]->memory.layers[1]);
        if (configs[i] != &plain) check_same_variant(&read.memory, &configs[i]->memory);
        json_decref(object);
        json_decref(again);
    }
}
END_TEST

START_TEST(uses_the_field_s_names) {
    json_t *object = model_config_to_json(&sample);
    ck_assert_str_eq(json_string_value(json_object_get(object, "model_type")), "mneme");
    ck_assert_int_eq(json_integer_value(json_object_get(object, "hidden_size")), 128);
    ck_assert_int_eq(json_integer_value(json_object_get(object, "intermediate_size")), 352);
    ck_assert_int_eq(json_integer_value(json_object_get(object, "contract")),
                     MNEME_CONTRACT_VERSION);
    json_t *memory = json_object_get(object, "memory");
    ck_assert_int_eq(json_integer_value(json_object_get(memory, "knn")), 8);
    json_decref(object);
}
END_TEST

START_TEST(defaults) {
    json_t *object = json_loads(
        "{\"vocab_size\": 10, \"hidden_size\": 8, \"num_hidden_layers\": 2, \"torch_dtype\": \"x\","
        "\"num_attention_heads\": 2, \"max_position_embeddings\": 16, \"memory\": {\"layers\": [1],"
        "\"n_keys\": 4, \"knn\": 2, \"k_dim\": 4}}",
        0, NULL);
    struct model_config read;
    mneme_error error;
    mneme_status status = model_config_from_json(object, "c", &read, &error);
    ck_assert_msg(status == MNEME_OK, "%s", error.message);
    ck_assert_uint_eq(read.n_kv_heads, 2);
    ck_assert_uint_eq(read.multiple_of, 32);
    ck_assert_uint_eq(read.memory.v_dim, 8);
    ck_assert(!read.memory.share_values);
    ck_assert_uint_eq(read.memory.heads, 4);
    ck_assert(!read.tied_output);
    json_decref(object);
}
END_TEST

/* One member of the sample set to a value ("memory." goes inside; "-" removes it). */
static const struct {
    const char *key, *value, *message;
} refusals[] = {
    {"vocab_size", "0", "c: key `vocab_size`: must be an integer from 1 to 1048576"},
    {"vocab_size", "1048577", "c: key `vocab_size`: must be an integer from 1 to 1048576"},
    {"vocab_size", "-", "c: key `vocab_size`: missing"},
    {"hidden_size", "65538", "c: key `hidden_size`: must be an integer from 2 to 65536"},
    {"hidden_size", "\"128\"", "c: key `hidden_size`: must be an integer from 2 to 65536"},
    {"num_attention_heads", "3",
     "c: key `num_attention_heads`: 3 does not divide hidden_size, 128"},
    {"num_attention_heads", "128",
     "c: key `num_attention_heads`: hidden_size / num_attention_heads must be even, is 1"},
    {"num_key_value_heads", "3",
     "c: key `num_key_value_heads`: 3 does not divide num_attention_heads, 4"},
    {"intermediate_size", "353",
     "c: key `intermediate_size`: is 353; hidden_size and multiple_of make it 352"},
    {"rms_norm_eps", "0", "c: key `rms_norm_eps`: must be a number from 1e-12 to 1"},
    {"rope_theta", "1e300", "c: key `rope_theta`: must be a number from 1 to 1e+12"},
    {"head_dim", "7", "c: key `head_dim`: is 7, must be even"},
    {"attention_bias", "true", "c: key `attention_bias`: must be \"none\", \"qkv\" or \"qkvo\""},
    {"rope_scaling", "\"yarn\"",
     "c: key `rope_scaling`: must be \"none\", \"linear\" or \"llama3\""},
    {"contract", "2",
     "c: key `contract`: the model was made under contract 2, this version keeps"
     " to 1"},
    {"model_type", "\"llama\"", "c: key `model_type`: must be \"mneme\""},
    {"hiden_size", "7", "c: key `hiden_size`: unknown; did you mean `hidden_size`?"},
    {"memory", "[]", "c: key `memory`: must be an object"},
    {"memory.knns", "7", "c: key `memory.knns`: unknown; did you mean `memory.knn`?"},
    {"memory.layers", "[1, 4]", "c: key `memory.layers`: layer 4: the model has layers 0 to 3"},
    {"memory.layers", "[3, 1]", "c: key `memory.layers`: must ascend"},
    {"memory.layers", "[1, 1]", "c: key `memory.layers`: must ascend"},
    {"memory.n_keys", "65536", "c: key `memory.n_keys`: must be an integer from 1 to 46340"},
    {"memory.n_keys", "7", "c: key `memory.knn`: 8 is more than n_keys, 7"},
    {"memory.knn", "257", "c: key `memory.knn`: must be an integer from 1 to 256"},
    {"memory.k_dim", "63", "c: key `memory.k_dim`: must be even"},
    {"memory.v_dim", "-1", "c: key `memory.v_dim`: must be an integer from 1 to 65536"},
    {"memory.gated", "1", "c: key `memory.gated`: must be true or false"},
    {"memory.value_proj", "false", "c: key `memory.value_proj`: swilu_projection needs it"},
    {"memory.swilu_projection", "0", "c: key `memory.swilu_projection`: must be true or false"},
    {"memory.peer_variant", "true",
     "c: key `memory.value_proj`: PEER has none, and its v_dim is 128"},
    {"memory.share_values", "1", "c: key `memory.share_values`: must be true or false"},
};

START_TEST(refusals_name_the_key) {
    json_t *object = model_config_to_json(&sample), *inside = object;
    const char *key = refusals[_i].key;
    if (strncmp(key, "memory.", 7) == 0) {
        inside = json_object_get(object, "memory");
        key += 7;
    }
    if (strcmp(refusals[_i].value, "-") == 0) {
        json_object_del(inside, key);
    } else {
        json_object_set_new(inside, key, json_loads(refusals[_i].value, JSON_DECODE_ANY, NULL));
    }
    struct model_config read = {.dim = 77};
    mneme_error error;
    ck_assert_int_eq(model_config_from_json(object, "c", &read, &error), MNEME_BAD_INPUT);
    size_t length = strlen(refusals[_i].message); /* what the file says may follow */
    ck_assert_msg(strncmp(error.message, refusals[_i].message, length) == 0, "%s", error.message);
    const char *rest = error.message + length;
    ck_assert_msg(*rest == '\0' || strncmp(rest, ", is ", 5) == 0 || *rest == ':', "%s", rest);
    ck_assert_uint_eq(read.dim, 77);
    json_decref(object);
}
END_TEST

START_TEST(check_finds_what_no_file_said) {
    struct model_config config = sample;
    mneme_error error;
    assert_ok(model_config_check(&config, CONFIG_OF_HF, "c", &error), &error);
    config.norm_eps = 0.0f / (float)strlen("");
    assert_refused(model_config_check(&config, CONFIG_OF_HF, "c", &error), &error, MNEME_BAD_INPUT,
                   "c: key", "rms_norm_eps");
    config = sample;
    config.n_heads = 0;
    assert_refused(model_config_check(&config, CONFIG_OF_HF, "c", &error), &error, MNEME_BAD_INPUT,
                   "c: key", "num_attention_heads");
    config = sample;
    config.memory.v_dim = 0;
    assert_refused(model_config_check(&config, CONFIG_OF_HF, "c", &error), &error, MNEME_BAD_INPUT,
                   "c: key", "memory.v_dim");
    config = sample;
    config.memory.n_layers = MODEL_MAX_MEMORY_LAYERS + 1;
    assert_refused(model_config_check(&config, CONFIG_OF_HF, "c", &error), &error, MNEME_BAD_INPUT,
                   "c: key", "memory.layers");
    assert_refused(model_config_from_json(NULL, "c", &config, &error), &error, MNEME_BAD_INPUT, "c",
                   "must be an object");
}
END_TEST

Suite *config_suite(void) {
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("config");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, derived_sizes);
    tcase_add_test(cases, reads_back_what_it_wrote);
    tcase_add_test(cases, uses_the_field_s_names);
    tcase_add_test(cases, defaults);
    tcase_add_loop_test(cases, refusals_name_the_key, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(cases, check_finds_what_no_file_said);
    suite_add_tcase(suite, cases);
    return suite;
}
