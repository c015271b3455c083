#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "base/path.h"
#include "interchange/foreign.h"
#include "interchange/foreign_keys.h"
#include "interchange/hf_layout.h"

static const struct foreign_key other_keys[] = {
#define KEY(name, rule) {name, FOREIGN_##rule},
#include "interchange/hf_config_keys.def"
#undef KEY
};

static bool is_default(const json_t *type) {
    return json_is_string(type) && strcmp(json_string_value(type), "default") == 0;
}

/* `rope_scaling` and, in newer files, `rope_parameters`, which has the theta too: only RoPE as it
 * is. */
static mneme_status read_rope(const struct json_place *root, const char *key, json_t *object,
                              mneme_error *error) {
    static const char *const keys[] = {"rope_type", "type", "rope_theta", "partial_rotary_factor"};
    struct json_place rope;
    float whole = 1.0f;
    TRY(json_get_object(root, key, KEY_OPTIONAL, &rope, error));
    for (size_t i = 0; i < 2; i++) {
        const json_t *type = json_object_get(rope.object, keys[i]);
        if (type == NULL || json_is_null(type) || is_default(type)) continue;
        return foreign_refuse_value(&rope, keys[i], "must be \"default\"", error);
    }
    TRY(json_check_keys(&rope, keys, sizeof keys / sizeof *keys, error));
    TRY(json_get_float(&rope, "partial_rotary_factor", KEY_OPTIONAL, 1.0f, 1.0f, &whole, error));
    json_t *theta = json_object_get(rope.object, "rope_theta");
    if (theta != NULL) json_object_set(object, "rope_theta", theta);
    return MNEME_OK;
}

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

/* A window that is narrower than the longest text; all of Mistral's layers have one by default. */
static mneme_status check_window(const struct json_place *root, bool says_window,
                                 mneme_error *error) {
    static const char *const full[] = {"full_attention"};
    size_t window = SIZE_MAX, longest = 0;
    const json_t *layers = json_object_get(root->object, "layer_types");
    bool mistral = is_one_of(root, "model_type", (const char *const[]){"mistral"}, 1);
    if (mistral && !says_window) window = 4096;
    TRY(json_get_size(root, "sliding_window", KEY_OPTIONAL, 0, SIZE_MAX, &window, error));
    TRY(json_get_size(root, "max_position_embeddings", KEY_REQUIRED, 1, SIZE_MAX, &longest, error));
    if (window != 0 && window < longest) {
        return json_refuse(root, "sliding_window", error,
                           "is %zu, must be null or at least max_position_embeddings", window);
    }
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const char *type = json_string_value(json_array_get(layers, i));
        if (type != NULL && strcmp(type, full[0]) == 0) continue;
        return foreign_refuse_value(root, "layer_types", "must be \"full_attention\" alone", error);
    }
    return MNEME_OK;
}

/* Refuses what would make another model of it. */
static mneme_status check_kind(const struct json_place *root, mneme_error *error) {
    static const char *const kinds[] = {"llama", "mistral"}, *const activations[] = {"silu",
                                                                                     "swish"};
    static const char *const architectures[] = {"LlamaForCausalLM", "LLaMAForCausalLM",
                                                "MistralForCausalLM"};
    static const char *const off[] = {"attention_bias", "mlp_bias"};
    size_t ignored;
    TRY(json_get_choice(root, "model_type", KEY_REQUIRED, kinds, 2, &ignored, error));
    if (!is_one_of(root, "architectures", architectures, 3)) {
        return foreign_refuse_value(root, "architectures", "must be [\"LlamaForCausalLM\"]", error);
    }
    for (size_t i = 0; i < 2; i++) {
        bool on = false;
        TRY(json_get_bool(root, off[i], KEY_OPTIONAL, &on, error));
        if (on) return json_refuse(root, off[i], error, "is true, must be false");
    }
    if (json_object_get(root->object, "quantization_config") != NULL) {
        return foreign_refuse_value(root, "quantization_config", "not supported", error);
    }
    if (json_object_get(root->object, "intermediate_size") == NULL) {
        return json_refuse(root, "intermediate_size", error, "missing");
    }
    TRY(json_get_choice(root, "hidden_act", KEY_OPTIONAL, activations, 2, &ignored, error));
    return foreign_check_keys(root, &config_tables[CONFIG_OF_HF], "", other_keys,
                              sizeof other_keys / sizeof *other_keys, error);
}

static mneme_status check_head_dim(const struct json_place *root, const struct model_config *config,
                                   mneme_error *error) {
    size_t head_dim = model_head_dim(config);
    TRY(json_get_size(root, "head_dim", KEY_OPTIONAL, 1, 65536, &head_dim, error));
    if (head_dim == model_head_dim(config)) return MNEME_OK;
    return json_refuse(root, "head_dim", error, "is %zu, must be hidden_size / num_attention_heads",
                       head_dim);
}

static mneme_status config_from_json(json_t *object, const char *path, struct model_config *config,
                                     mneme_error *error) {
    struct json_place root;
    bool says_window = json_object_get(object, "sliding_window") != NULL;
    foreign_drop_nulls(object);
    /* Ours; transformers' Llama has none. */
    json_object_del(object, "multiple_of");
    json_object_del(object, "memory");
    TRY(json_place_root(object, path, &root, error));
    TRY(check_kind(&root, error));
    TRY(check_window(&root, says_window, error));
    TRY(read_rope(&root, "rope_scaling", object, error));
    TRY(read_rope(&root, "rope_parameters", object, error));
    *config = (struct model_config){0};
    keys_set_defaults(&config_tables[CONFIG_OF_HF], config);
    config->norm_eps = 1e-6f; /* Llama's own default */
    TRY(model_config_read(&root, CONFIG_OF_HF, config, error));
    return check_head_dim(&root, config, error);
}

static mneme_status read_config(const char *folder, struct model_config *config,
                                mneme_error *error) {
    struct path path = path_in(folder, "config.json");
    json_t *object = NULL;
    mneme_status status = json_read_file(path.text, JSON_MAX_BYTES, &object, error);
    THEN(config_from_json(object, path.text, config, error));
    json_decref(object);
    return status;
}

/* Tables of angles, which older versions wrote; the output that is the embedding. */
static bool is_needless(const struct model *model, const char *theirs) {
    if (strcmp(theirs, "lm_head.weight") == 0) return model->config.tied_output;
    const char *last = strstr(theirs, ".rotary_emb.inv_freq");
    return last != NULL && strcmp(last, ".rotary_emb.inv_freq") == 0;
}

static mneme_status pair_rows(struct model *model, mneme_error *error) {
    size_t dim = model->config.dim, head_dim = model_head_dim(&model->config);
    float *halves = memory_allocate(dim * dim, sizeof *halves);
    if (halves == NULL) return error_set_memory(error, "a weight");
    for (size_t l = 0; l < model->config.n_layers; l++) {
        struct parameter *both[2] = {model->layers[l].wq, model->layers[l].wk};
        for (size_t i = 0; i < 2; i++) {
            memcpy(halves, both[i]->data, both[i]->count * sizeof *halves);
            hf_layout_pair_rows(both[i]->shape[0] / head_dim, head_dim, dim, halves, both[i]->data);
        }
    }
    free(halves);
    return MNEME_OK;
}

mneme_status foreign_open_hf(const char *path, struct model *model, mneme_error *error) {
    static const struct foreign_names names = {hf_layout_name, is_needless};
    struct model_config config;
    struct safetensors_set set;
    TRY(read_config(path, &config, error));
    TRY(safetensors_set_open(&set, path, error));
    mneme_status status = model_describe(&config, model, error);
    THEN(foreign_read(&set, &names, model, error));
    safetensors_set_close(&set);
    TRY(status);
    status = pair_rows(model, error);
    if (status != MNEME_OK) model_close(model);
    return status;
}
