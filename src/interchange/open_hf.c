#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "base/path.h"
#include "interchange/foreign.h"
#include "interchange/hf_layout.h"

#define MAX_CONFIG_BYTES ((size_t)1 << 20)

/* What of a Llama config decides the numbers and means the same here. */
static const char *const same_keys[] = {
    "vocab_size",          "hidden_size",         "num_hidden_layers",
    "num_attention_heads", "num_key_value_heads", "max_position_embeddings",
    "intermediate_size",   "rms_norm_eps",        "rope_theta",
    "tie_word_embeddings", "hidden_act",
};

/* `rope_scaling` and, in newer files, `rope_parameters`, which has the theta too: only RoPE as it
 * is. */
static mneme_status read_rope(const struct json_place *root, const char *key, json_t *same,
                              mneme_error *error) {
    static const char *const types[] = {"default"};
    struct json_place rope;
    size_t ignored;
    mneme_status status = json_get_object(root, key, KEY_OPTIONAL, &rope, error);
    if (status != MNEME_OK || rope.object == NULL) return status;
    static const char *const keys[] = {"rope_type", "type", "rope_theta", "partial_rotary_factor"};
    status = json_check_keys(&rope, keys, sizeof keys / sizeof *keys, error);
    if (status == MNEME_OK) {
        status = json_get_choice(&rope, "rope_type", KEY_OPTIONAL, types, 1, &ignored, error);
    }
    if (status == MNEME_OK) {
        status = json_get_choice(&rope, "type", KEY_OPTIONAL, types, 1, &ignored, error);
    }
    float whole = 1.0f;
    if (status == MNEME_OK) {
        status =
            json_get_float(&rope, "partial_rotary_factor", KEY_OPTIONAL, 1.0f, 1.0f, &whole, error);
    }
    json_t *theta = json_object_get(rope.object, "rope_theta");
    if (status == MNEME_OK && theta != NULL) json_object_set(same, "rope_theta", theta);
    return status;
}

/* Refuses what would make another model of it. */
static mneme_status check_kind(const struct json_place *root, mneme_error *error) {
    static const char *const kinds[] = {"llama"};
    static const char *const off[] = {"attention_bias", "mlp_bias"};
    size_t ignored;
    mneme_status status =
        json_get_choice(root, "model_type", KEY_REQUIRED, kinds, 1, &ignored, error);
    for (size_t i = 0; status == MNEME_OK && i < 2; i++) {
        bool on = false;
        status = json_get_bool(root, off[i], KEY_OPTIONAL, &on, error);
        if (status == MNEME_OK && on) status = json_refuse(root, off[i], error, "must be false");
    }
    if (status == MNEME_OK && json_object_get(root->object, "quantization_config") != NULL) {
        status = json_refuse(root, "quantization_config", error, "not supported");
    }
    return status;
}

static mneme_status check_head_dim(const struct json_place *root, const struct model_config *config,
                                   mneme_error *error) {
    size_t head_dim = model_head_dim(config);
    mneme_status status = json_get_size(root, "head_dim", KEY_OPTIONAL, 1, 65536, &head_dim, error);
    if (status != MNEME_OK || head_dim == model_head_dim(config)) return status;
    return json_refuse(root, "head_dim", error, "is %zu, must be hidden_size / num_attention_heads",
                       head_dim);
}

static mneme_status config_from_json(json_t *object, const char *path, struct model_config *config,
                                     mneme_error *error) {
    struct json_place root;
    foreign_drop_nulls(object);
    mneme_status status = json_place_root(object, path, &root, error);
    if (status == MNEME_OK) status = check_kind(&root, error);
    if (status != MNEME_OK) return status;
    json_t *same = json_object();
    /* Llama's own defaults where they are not ours. */
    json_object_set_new(same, "rms_norm_eps", json_real(1e-6));
    for (size_t i = 0; i < sizeof same_keys / sizeof *same_keys; i++) {
        json_t *value = json_object_get(object, same_keys[i]);
        if (value != NULL) json_object_set(same, same_keys[i], value);
    }
    status = read_rope(&root, "rope_scaling", same, error);
    if (status == MNEME_OK) status = read_rope(&root, "rope_parameters", same, error);
    if (status == MNEME_OK && json_object_get(same, "intermediate_size") == NULL) {
        status = json_refuse(&root, "intermediate_size", error, "missing");
    }
    if (status == MNEME_OK) status = model_config_from_json(same, path, config, error);
    if (status == MNEME_OK) status = check_head_dim(&root, config, error);
    json_decref(same);
    return status;
}

static mneme_status read_config(const char *folder, struct model_config *config,
                                mneme_error *error) {
    char *path = path_join(folder, "config.json");
    if (path == NULL) return error_set_memory(error, "config.json");
    json_t *object = NULL;
    mneme_status status = json_read_file(path, MAX_CONFIG_BYTES, &object, error);
    if (status == MNEME_OK) status = config_from_json(object, path, config, error);
    json_decref(object);
    free(path);
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
    mneme_status status = read_config(path, &config, error);
    if (status == MNEME_OK) status = safetensors_set_open(&set, path, error);
    if (status != MNEME_OK) return status;
    status = model_describe(&config, model, error);
    if (status == MNEME_OK) status = foreign_read(&set, &names, model, error);
    safetensors_set_close(&set);
    if (status != MNEME_OK) return status;
    status = pair_rows(model, error);
    if (status != MNEME_OK) model_close(model);
    return status;
}
