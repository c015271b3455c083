#include "model/config.h"

#include <stdint.h>
#include <string.h>

#include <mneme/version.h>

#include "base/json_read.h"
#include "base/json_write.h"

/* One size: its key in the file, its place in the struct, its range. */
struct size_rule {
    const char *key;
    size_t offset;
    size_t low, high;
    enum key_need need;
};

#define AT(member) offsetof(struct model_config, member)

static const struct size_rule model_sizes[] = {
    {"vocab_size", AT(vocab_size), 1, 1 << 20, KEY_REQUIRED},
    {"hidden_size", AT(dim), 2, 65536, KEY_REQUIRED},
    {"num_hidden_layers", AT(n_layers), 1, 1024, KEY_REQUIRED},
    {"num_attention_heads", AT(n_heads), 1, 4096, KEY_REQUIRED},
    {"num_key_value_heads", AT(n_kv_heads), 1, 4096, KEY_OPTIONAL},
    {"multiple_of", AT(multiple_of), 1, 65536, KEY_OPTIONAL},
    {"max_position_embeddings", AT(max_seq_len), 1, 1 << 20, KEY_REQUIRED},
};

/* n_keys: the square, the number of slots, must fit 32 bits with a sign. */
static const struct size_rule memory_sizes[] = {
    {"n_keys", AT(memory.n_keys), 1, 46340, KEY_REQUIRED},
    {"heads", AT(memory.heads), 1, 256, KEY_REQUIRED},
    {"knn", AT(memory.knn), 1, 256, KEY_REQUIRED},
    {"k_dim", AT(memory.k_dim), 2, 65536, KEY_REQUIRED},
    {"v_dim", AT(memory.v_dim), 0, 65536, KEY_OPTIONAL}, /* 0 in a file: hidden_size */
};

#define N_MODEL_SIZES (sizeof model_sizes / sizeof *model_sizes)
#define N_MEMORY_SIZES (sizeof memory_sizes / sizeof *memory_sizes)

/* The FFN's hidden size. */
#define MAX_HIDDEN (1 << 20)

/* Ranges of the two numbers that are not sizes. */
#define EPS_LOW 1e-12f
#define EPS_HIGH 1.0f
#define THETA_LOW 1.0f
#define THETA_HIGH 1e12f

/* The last ones are written by Hugging Face's tools and change no number here. */
static const char *const model_keys[] = {
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "multiple_of",
    "max_position_embeddings",
    "intermediate_size",
    "rms_norm_eps",
    "rope_theta",
    "tie_word_embeddings",
    "memory",
    "contract",
    "model_type",
    "hidden_act",
    "architectures",
    "auto_map",
    "bos_token_id",
    "dtype",
    "eos_token_id",
    "initializer_range",
    "pad_token_id",
    "torch_dtype",
    "transformers_version",
    "use_cache",
    "_name_or_path",
};

static const char *const memory_keys[] = {
    "layers", "n_keys", "heads", "knn", "k_dim", "v_dim", "share_values", MEMORY_VARIANT_KEYS,
};

size_t model_head_dim(const struct model_config *config) {
    return config->dim / config->n_heads;
}

size_t model_hidden_dim(const struct model_config *config) {
    if (config->hidden_dim > 0) return config->hidden_dim;
    size_t hidden = 2 * 4 * config->dim / 3;
    return (hidden + config->multiple_of - 1) / config->multiple_of * config->multiple_of;
}

size_t model_n_slots(const struct model_config *config) {
    return config->memory.n_keys * config->memory.n_keys;
}

struct product_key_shape model_product_key_shape(const struct model_config *config) {
    const struct memory_config *memory = &config->memory;
    return (struct product_key_shape){.heads = memory->heads,
                                      .n_keys = memory->n_keys,
                                      .half = memory->k_dim / 2,
                                      .knn = memory->knn};
}

bool model_layer_has_memory(const struct model_config *config, size_t layer) {
    for (size_t i = 0; i < config->memory.n_layers; i++) {
        if (config->memory.layers[i] == layer) return true;
    }
    return false;
}

static size_t *size_at(struct model_config *config, const struct size_rule *rule) {
    return (size_t *)(void *)((char *)config + rule->offset);
}

static size_t size_of(const struct model_config *config, const struct size_rule *rule) {
    size_t size;
    memcpy(&size, (const char *)config + rule->offset, sizeof size);
    return size;
}

static mneme_status check_sizes(const struct model_config *config, const struct json_place *place,
                                const struct size_rule *rules, size_t n, mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        size_t size = size_of(config, &rules[i]);
        if (size < rules[i].low || size > rules[i].high) {
            return json_refuse(place, rules[i].key, error, "must be an integer from %zu to %zu",
                               rules[i].low, rules[i].high);
        }
    }
    return MNEME_OK;
}

static mneme_status check_memory(const struct model_config *config, const struct json_place *place,
                                 mneme_error *error) {
    const struct memory_config *memory = &config->memory;
    if (memory->n_layers == 0) return MNEME_OK;
    if (memory->n_layers > MODEL_MAX_MEMORY_LAYERS) {
        return json_refuse(place, "layers", error, "must have at most %d elements",
                           MODEL_MAX_MEMORY_LAYERS);
    }
    for (size_t i = 0; i < memory->n_layers; i++) {
        if (memory->layers[i] >= config->n_layers) {
            return json_refuse(place, "layers", error, "layer %zu: the model has layers 0 to %zu",
                               memory->layers[i], config->n_layers - 1);
        }
        if (i > 0 && memory->layers[i] <= memory->layers[i - 1]) {
            return json_refuse(place, "layers", error, "must ascend");
        }
    }
    mneme_status status = check_sizes(config, place, memory_sizes, N_MEMORY_SIZES, error);
    if (status != MNEME_OK) return status;
    if (memory->knn > memory->n_keys) {
        return json_refuse(place, "knn", error, "%zu is more than n_keys, %zu", memory->knn,
                           memory->n_keys);
    }
    if (memory->v_dim == 0) return json_refuse(place, "v_dim", error, "must be at least 1");
    if (memory->k_dim % 2 != 0) return json_refuse(place, "k_dim", error, "must be even");
    return memory_variant_check(memory, config->dim, place, error);
}

static mneme_status check_heads(const struct model_config *config, const struct json_place *place,
                                mneme_error *error) {
    if (config->dim % config->n_heads != 0) {
        return json_refuse(place, "num_attention_heads", error,
                           "%zu does not divide hidden_size, %zu", config->n_heads, config->dim);
    }
    if (model_head_dim(config) % 2 != 0) {
        return json_refuse(place, "num_attention_heads", error,
                           "hidden_size / num_attention_heads must be even, is %zu",
                           model_head_dim(config));
    }
    if (config->n_heads % config->n_kv_heads != 0) {
        return json_refuse(place, "num_key_value_heads", error,
                           "%zu does not divide num_attention_heads, %zu", config->n_kv_heads,
                           config->n_heads);
    }
    return MNEME_OK;
}

mneme_status model_config_check(const struct model_config *config, const char *place,
                                mneme_error *error) {
    const struct json_place root = {.place = place};
    const struct json_place memory = {.place = place, .prefix = "memory."};
    mneme_status status = check_sizes(config, &root, model_sizes, N_MODEL_SIZES, error);
    if (status == MNEME_OK && config->hidden_dim > MAX_HIDDEN) {
        status = json_refuse(&root, "intermediate_size", error, "must be an integer from 1 to %d",
                             MAX_HIDDEN);
    }
    if (status == MNEME_OK) status = check_heads(config, &root, error);
    if (status != MNEME_OK) return status;
    /* Written so that NaN fails. */
    if (!(config->norm_eps >= EPS_LOW && config->norm_eps <= EPS_HIGH)) {
        return json_refuse(&root, "rms_norm_eps", error, "must be a number from 1e-12 to 1");
    }
    if (!(config->rope_theta >= THETA_LOW && config->rope_theta <= THETA_HIGH)) {
        return json_refuse(&root, "rope_theta", error, "must be a number from 1 to 1e+12");
    }
    return check_memory(config, &memory, error);
}

static json_t *memory_to_json(const struct model_config *config) {
    const struct memory_config *memory = &config->memory;
    json_t *object = json_object();
    json_t *layers = json_array();
    for (size_t i = 0; i < memory->n_layers; i++) {
        json_array_append_new(layers, json_integer((json_int_t)memory->layers[i]));
    }
    json_object_set_new(object, "layers", layers);
    for (size_t i = 0; i < N_MEMORY_SIZES; i++) {
        json_object_set_new(object, memory_sizes[i].key,
                            json_integer((json_int_t)size_of(config, &memory_sizes[i])));
    }
    json_object_set_new(object, "share_values", json_boolean(memory->share_values));
    memory_variant_write(memory, config->dim, object);
    return object;
}

json_t *model_config_to_json(const struct model_config *config) {
    json_t *object = json_object();
    json_object_set_new(object, "architectures", json_pack("[s]", "MnemeForCausalLM"));
    json_object_set_new(object, "model_type", json_string("mneme"));
    json_object_set_new(object, "contract", json_integer(MNEME_CONTRACT_VERSION));
    for (size_t i = 0; i < N_MODEL_SIZES; i++) {
        bool is_multiple = model_sizes[i].offset == AT(multiple_of);
        if (is_multiple && config->hidden_dim > 0) continue;
        json_object_set_new(object, model_sizes[i].key,
                            json_integer((json_int_t)size_of(config, &model_sizes[i])));
    }
    json_object_set_new(object, "intermediate_size",
                        json_integer((json_int_t)model_hidden_dim(config)));
    json_object_set_new(object, "hidden_act", json_string("silu"));
    json_object_set_new(object, "rms_norm_eps", json_float(config->norm_eps));
    json_object_set_new(object, "rope_theta", json_float(config->rope_theta));
    json_object_set_new(object, "tie_word_embeddings", json_boolean(config->tied_output));
    if (config->memory.n_layers > 0) {
        json_object_set_new(object, "memory", memory_to_json(config));
    }
    return object;
}

static mneme_status read_sizes(const struct json_place *place, const struct size_rule *rules,
                               size_t n, struct model_config *config, mneme_error *error) {
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        status = json_get_size(place, rules[i].key, rules[i].need, rules[i].low, rules[i].high,
                               size_at(config, &rules[i]), error);
    }
    return status;
}

static mneme_status read_memory(const struct json_place *root, struct model_config *config,
                                mneme_error *error) {
    struct json_place place;
    struct memory_config *memory = &config->memory;
    mneme_status status = json_get_object(root, "memory", KEY_OPTIONAL, &place, error);
    if (status != MNEME_OK || place.object == NULL) return status;
    status = json_check_keys(&place, memory_keys, sizeof memory_keys / sizeof *memory_keys, error);
    if (status != MNEME_OK) return status;
    status = json_get_sizes(&place, "layers", KEY_REQUIRED, 0, 1023, memory->layers,
                            MODEL_MAX_MEMORY_LAYERS, &memory->n_layers, error);
    if (status != MNEME_OK) return status;
    memory->share_values = true;
    status = read_sizes(&place, memory_sizes, N_MEMORY_SIZES, config, error);
    if (status != MNEME_OK) return status;
    if (memory->v_dim == 0) memory->v_dim = config->dim;
    status = json_get_bool(&place, "share_values", KEY_OPTIONAL, &memory->share_values, error);
    if (status != MNEME_OK) return status;
    return memory_variant_read(&place, config->dim, memory, error);
}

/* The FFN's hidden size is `intermediate_size` where `multiple_of` does not decide it. */
static mneme_status read_hidden(const struct json_place *root, struct model_config *config,
                                mneme_error *error) {
    if (json_object_get(root->object, "multiple_of") != NULL) return MNEME_OK;
    return json_get_size(root, "intermediate_size", KEY_OPTIONAL, 1, MAX_HIDDEN,
                         &config->hidden_dim, error);
}

/* Keys that may be there but leave no choice. */
static mneme_status check_fixed(const struct json_place *root, const struct model_config *config,
                                mneme_error *error) {
    static const char *const types[] = {"mneme"}, *const activations[] = {"silu"};
    size_t ignored, hidden = model_hidden_dim(config);
    size_t intermediate = hidden, contract = MNEME_CONTRACT_VERSION;
    mneme_status status =
        json_get_choice(root, "model_type", KEY_OPTIONAL, types, 1, &ignored, error);
    if (status == MNEME_OK) {
        status = json_get_choice(root, "hidden_act", KEY_OPTIONAL, activations, 1, &ignored, error);
    }
    if (status == MNEME_OK) {
        status = json_get_size(root, "intermediate_size", KEY_OPTIONAL, 1, SIZE_MAX, &intermediate,
                               error);
    }
    if (status == MNEME_OK) {
        status = json_get_size(root, "contract", KEY_OPTIONAL, 1, SIZE_MAX, &contract, error);
    }
    if (status != MNEME_OK) return status;
    if (intermediate != hidden) {
        return json_refuse(root, "intermediate_size", error,
                           "is %zu; hidden_size and multiple_of make it %zu", intermediate, hidden);
    }
    if (contract != MNEME_CONTRACT_VERSION) {
        return json_refuse(root, "contract", error,
                           "the model was made under contract %zu, this version keeps to %d",
                           contract, MNEME_CONTRACT_VERSION);
    }
    return MNEME_OK;
}

mneme_status model_config_from_json(const json_t *object, const char *place,
                                    struct model_config *config, mneme_error *error) {
    struct json_place root;
    mneme_status status = json_place_root(object, place, &root, error);
    if (status != MNEME_OK) return status;
    status = json_check_keys(&root, model_keys, sizeof model_keys / sizeof *model_keys, error);
    if (status != MNEME_OK) return status;
    struct model_config read = {.multiple_of = 256, .norm_eps = 1e-5f, .rope_theta = 10000.0f};
    status = read_sizes(&root, model_sizes, N_MODEL_SIZES, &read, error);
    if (status != MNEME_OK) return status;
    if (read.n_kv_heads == 0) read.n_kv_heads = read.n_heads;
    status = json_get_float(&root, "rms_norm_eps", KEY_OPTIONAL, EPS_LOW, EPS_HIGH, &read.norm_eps,
                            error);
    if (status != MNEME_OK) return status;
    status = json_get_float(&root, "rope_theta", KEY_OPTIONAL, THETA_LOW, THETA_HIGH,
                            &read.rope_theta, error);
    if (status != MNEME_OK) return status;
    status = json_get_bool(&root, "tie_word_embeddings", KEY_OPTIONAL, &read.tied_output, error);
    if (status == MNEME_OK) status = read_hidden(&root, &read, error);
    if (status == MNEME_OK) status = check_fixed(&root, &read, error);
    if (status == MNEME_OK) status = read_memory(&root, &read, error);
    if (status == MNEME_OK) status = model_config_check(&read, place, error);
    if (status == MNEME_OK) *config = read;
    return status;
}
