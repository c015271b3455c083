#include "interchange/hf_config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/path.h"
#include "interchange/foreign.h"
#include "interchange/foreign_keys.h"
#include "interchange/hf_rope.h"

static const struct hf_family families[] = {
#define FAMILY(model_type, ...) {#model_type, __VA_ARGS__},
#include "interchange/hf_families.def"
#undef FAMILY
};
#define N_FAMILIES (sizeof families / sizeof *families)

static const char *const family_names[N_FAMILIES] = {
#define FAMILY(model_type, ...) #model_type,
#include "interchange/hf_families.def"
#undef FAMILY
};

static const struct foreign_key other_keys[] = {
#define KEY(name, rule) {name, FOREIGN_##rule},
#include "interchange/hf_config_keys.def"
#undef KEY
};

/* Keys of mneme's own config.json, which mean nothing here. */
static const char *const own_keys[] = {"qk_norm",       "rope_rule",      "rope_factor",
                                       "rope_low_freq", "rope_high_freq", "rope_original"};

/* What the file says, before its nulls are dropped: null is not missing for these. */
struct presence {
    bool window, kv_heads, head_dim;
};

/* Whether a key is missing or has one of the texts; a list may have it alone. */
static bool is_one_of(const struct json_place *root, const char *key, const char *const *texts,
                      size_t n) {
    const json_t *value = json_object_get(root->object, key);
    if (json_array_size(value) == 1) value = json_array_get(value, 0);
    for (size_t i = 0; i < n && json_is_string(value); i++) {
        if (strcmp(json_string_value(value), texts[i]) == 0) return true;
    }
    return value == NULL;
}

static mneme_status check_layer_types(const struct json_place *root, mneme_error *error) {
    const json_t *layers = json_object_get(root->object, "layer_types");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const char *type = json_string_value(json_array_get(layers, i));
        if (type != NULL && strcmp(type, "full_attention") == 0) continue;
        return foreign_refuse_value(root, "layer_types", "must be \"full_attention\" alone", error);
    }
    return MNEME_OK;
}

/* Of a family whose window has a switch: whether any layer has one. */
static mneme_status is_switched(const struct json_place *root, bool *on, mneme_error *error) {
    size_t first = 28, layers = 0;
    *on = false;
    TRY(json_get_bool(root, "use_sliding_window", KEY_OPTIONAL, on, error));
    TRY(json_get_size(root, "max_window_layers", KEY_OPTIONAL, 0, SIZE_MAX, &first, error));
    TRY(json_get_size(root, "num_hidden_layers", KEY_REQUIRED, 1, SIZE_MAX, &layers, error));
    *on =
        *on && first < layers && json_array_size(json_object_get(root->object, "layer_types")) == 0;
    return MNEME_OK;
}

/* Refuses a window that is narrower than the longest text. */
static mneme_status check_window(const struct json_place *root, const struct hf_family *family,
                                 bool says_window, mneme_error *error) {
    size_t window = family->window == HF_WINDOW_GIVEN || says_window ? SIZE_MAX : 4096;
    size_t longest = 0;
    TRY(check_layer_types(root, error));
    if (family->window == HF_WINDOW_SWITCHED) {
        bool on;
        TRY(is_switched(root, &on, error));
        if (!on) return MNEME_OK;
    }
    TRY(json_get_size(root, "sliding_window", KEY_OPTIONAL, 0, SIZE_MAX, &window, error));
    TRY(json_get_size(root, "max_position_embeddings", KEY_REQUIRED, 1, SIZE_MAX, &longest, error));
    if (window == 0 || window >= longest) return MNEME_OK;
    return json_refuse(root, "sliding_window", error,
                       "is %zu, must be null or at least max_position_embeddings", window);
}

/* Any of theirs: transformers goes by model_type. */
static mneme_status check_architecture(const struct json_place *root,
                                       const struct hf_family *family, mneme_error *error) {
    static const char *const known[] = {
        "LLaMAForCausalLM",
#define FAMILY(model_type, architecture, ...) architecture,
#include "interchange/hf_families.def"
#undef FAMILY
    };
    if (is_one_of(root, "architectures", known, sizeof known / sizeof *known)) return MNEME_OK;
    char cause[96];
    snprintf(cause, sizeof cause, "must be [\"%s\"]", family->architecture);
    return foreign_refuse_value(root, "architectures", cause, error);
}

/* Refuses keys that nobody knows, and values that make another model of it. */
static mneme_status check_keys(json_t *object, const struct json_place *root,
                               const struct hf_family *family, mneme_error *error) {
    static const char *const activations[] = {"silu", "swish"};
    size_t ignored;
    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++) {
        const json_t *value = json_object_get(object, own_keys[i]);
        if (value != NULL && !json_is_false(value)) {
            return foreign_refuse_value(root, own_keys[i], FOREIGN_UNKNOWN, error);
        }
        json_object_del(object, own_keys[i]);
    }
    if (json_object_get(object, "quantization_config") != NULL) {
        return foreign_refuse_value(root, "quantization_config", "not supported", error);
    }
    if (json_object_get(object, "intermediate_size") == NULL) {
        return json_refuse(root, "intermediate_size", error, "missing");
    }
    TRY(json_get_choice(root, "hidden_act", KEY_OPTIONAL, activations, 2, &ignored, error));
    if (family->window == HF_WINDOW_SWITCHED) json_object_del(object, "use_sliding_window");
    return foreign_check_keys(root, &config_tables[CONFIG_OF_HF], "", other_keys,
                              sizeof other_keys / sizeof *other_keys, error);
}

static void set_size(json_t *object, const char *key, size_t size) {
    json_object_set_new(object, key, json_integer((json_int_t)size));
}

/* Says with mneme's keys what the family and its biases are. */
static mneme_status adapt(json_t *object, const struct json_place *root,
                          const struct hf_family *family, const struct presence *says,
                          mneme_error *error) {
    bool biased = false, mlp_biased = false;
    if (family->has_attention_bias) {
        TRY(json_get_bool(root, "attention_bias", KEY_OPTIONAL, &biased, error));
    }
    if (family->has_mlp_bias) {
        TRY(json_get_bool(root, "mlp_bias", KEY_OPTIONAL, &mlp_biased, error));
    }
    const enum attention_bias bias = biased ? ATTENTION_BIAS_QKVO : family->bias;
    json_object_set_new(object, "attention_bias", json_string(attention_bias_names[bias]));
    json_object_set_new(object, "mlp_bias", json_boolean(mlp_biased));
    json_object_set_new(object, "qk_norm", json_boolean(family->qk_norm));
    if (!says->kv_heads && family->n_kv_heads > 0) {
        set_size(object, "num_key_value_heads", family->n_kv_heads);
    }
    if (!says->head_dim && family->head_dim > 0) set_size(object, "head_dim", family->head_dim);
    return hf_rope_read(root, object, error);
}

static mneme_status config_from_json(json_t *object, const char *path, struct model_config *config,
                                     mneme_error *error) {
    struct json_place root;
    size_t family = 0;
    const struct presence says = {
        .window = json_object_get(object, "sliding_window") != NULL,
        .kv_heads = json_object_get(object, "num_key_value_heads") != NULL,
        .head_dim = json_object_get(object, "head_dim") != NULL,
    };
    foreign_drop_nulls(object);
    /* Ours; transformers' have none. */
    json_object_del(object, "multiple_of");
    json_object_del(object, "memory");
    TRY(json_place_root(object, path, &root, error));
    TRY(json_get_choice(&root, "model_type", KEY_REQUIRED, family_names, N_FAMILIES, &family,
                        error));
    TRY(check_architecture(&root, &families[family], error));
    TRY(check_window(&root, &families[family], says.window, error));
    TRY(check_keys(object, &root, &families[family], error));
    TRY(adapt(object, &root, &families[family], &says, error));
    *config = (struct model_config){0};
    keys_set_defaults(&config_tables[CONFIG_OF_HF], config);
    config->norm_eps = 1e-6f; /* their default */
    return model_config_read(&root, CONFIG_OF_HF, config, error);
}

mneme_status hf_config_read(const char *folder, struct model_config *config, mneme_error *error) {
    struct path path = path_in(folder, "config.json");
    json_t *object = NULL;
    mneme_status status = json_read_file(path.text, JSON_MAX_BYTES, &object, error);
    THEN(config_from_json(object, path.text, config, error));
    json_decref(object);
    return status;
}

/* Whether a family can have the model's biases and norms. */
static bool fits(const struct hf_family *family, const struct model_config *config) {
    const bool all_biases =
        config->attention_bias == ATTENTION_BIAS_QKVO && family->has_attention_bias;
    /* transformers' LlamaConfig insists on it, whatever head_dim says. */
    const bool divides = config->dim % config->n_heads == 0 || !family->has_mlp_bias;
    return family->qk_norm == config->qk_norm && divides &&
           (config->attention_bias == family->bias || all_biases) &&
           (!config->mlp_bias || family->has_mlp_bias);
}

static const struct hf_family *find_family(const struct model_config *config) {
    for (size_t i = 0; i < N_FAMILIES; i++) {
        if (fits(&families[i], config)) return &families[i];
    }
    return NULL;
}

static void write_sizes(const struct model_config *config, json_t *object) {
    set_size(object, "vocab_size", config->vocab_size);
    set_size(object, "hidden_size", config->dim);
    set_size(object, "intermediate_size", model_hidden_dim(config));
    set_size(object, "num_hidden_layers", config->n_layers);
    set_size(object, "num_attention_heads", config->n_heads);
    set_size(object, "num_key_value_heads", config->n_kv_heads);
    set_size(object, "head_dim", model_head_dim(config));
    set_size(object, "max_position_embeddings", config->max_seq_len);
}

/* What only some families have. */
static void write_options(const struct hf_family *family, const struct model_config *config,
                          json_t *object) {
    if (family->has_attention_bias) {
        json_object_set_new(object, "attention_bias",
                            json_boolean(config->attention_bias == ATTENTION_BIAS_QKVO));
    }
    if (family->has_mlp_bias) {
        json_object_set_new(object, "mlp_bias", json_boolean(config->mlp_bias));
    }
    if (family->window == HF_WINDOW_ALWAYS) {
        json_object_set_new(object, "sliding_window", json_null());
    }
    if (family->window == HF_WINDOW_SWITCHED) {
        json_object_set_new(object, "use_sliding_window", json_false());
    }
}

mneme_status hf_config_to_json(const struct model_config *config, const char *place,
                               json_t **object, mneme_error *error) {
    const struct hf_family *family = find_family(config);
    if (family == NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: attention_bias %s, mlp_bias %s, qk_norm %s with %zu heads of a width "
                         "of %zu: no family of transformers has that",
                         place, attention_bias_names[config->attention_bias],
                         config->mlp_bias ? "true" : "false", config->qk_norm ? "true" : "false",
                         config->n_heads, config->dim);
    }
    *object = json_object();
    if (*object == NULL) return error_set_memory(error, place);
    json_object_set_new(*object, "architectures", json_pack("[s]", family->architecture));
    json_object_set_new(*object, "model_type", json_string(family->model_type));
    write_sizes(config, *object);
    json_object_set_new(*object, "hidden_act", json_string("silu"));
    json_object_set_new(*object, "rms_norm_eps", json_float(config->norm_eps));
    hf_rope_write(config, *object);
    write_options(family, config, *object);
    json_object_set_new(*object, "tie_word_embeddings", json_boolean(config->tied_output));
    return MNEME_OK;
}
