#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "base/path.h"
#include "interchange/foreign.h"
#include "interchange/hf_layout.h"

/* `rope_scaling` and, in newer files, `rope_parameters`, which has the theta too: only RoPE as it
 * is. */
static mneme_status read_rope(const struct json_place *root, const char *key, json_t *object,
                              mneme_error *error) {
    static const char *const types[] = {"default"};
    static const char *const keys[] = {"rope_type", "type", "rope_theta", "partial_rotary_factor"};
    struct json_place rope;
    size_t ignored;
    float whole = 1.0f;
    TRY(json_get_object(root, key, KEY_OPTIONAL, &rope, error));
    TRY(json_check_keys(&rope, keys, sizeof keys / sizeof *keys, error));
    TRY(json_get_choice(&rope, "rope_type", KEY_OPTIONAL, types, 1, &ignored, error));
    TRY(json_get_choice(&rope, "type", KEY_OPTIONAL, types, 1, &ignored, error));
    TRY(json_get_float(&rope, "partial_rotary_factor", KEY_OPTIONAL, 1.0f, 1.0f, &whole, error));
    json_t *theta = json_object_get(rope.object, "rope_theta");
    if (theta != NULL) json_object_set(object, "rope_theta", theta);
    return MNEME_OK;
}

/* Refuses what would make another model of it. */
static mneme_status check_kind(const struct json_place *root, mneme_error *error) {
    static const char *const kinds[] = {"llama"}, *const activations[] = {"silu"};
    static const char *const off[] = {"attention_bias", "mlp_bias"};
    size_t ignored;
    TRY(json_get_choice(root, "model_type", KEY_REQUIRED, kinds, 1, &ignored, error));
    for (size_t i = 0; i < 2; i++) {
        bool on = false;
        TRY(json_get_bool(root, off[i], KEY_OPTIONAL, &on, error));
        if (on) return json_refuse(root, off[i], error, "must be false");
    }
    if (json_object_get(root->object, "quantization_config") != NULL) {
        return json_refuse(root, "quantization_config", error, "not supported");
    }
    if (json_object_get(root->object, "intermediate_size") == NULL) {
        return json_refuse(root, "intermediate_size", error, "missing");
    }
    return json_get_choice(root, "hidden_act", KEY_OPTIONAL, activations, 1, &ignored, error);
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
    foreign_drop_nulls(object);
    TRY(json_place_root(object, path, &root, error));
    TRY(check_kind(&root, error));
    TRY(read_rope(&root, "rope_scaling", object, error));
    TRY(read_rope(&root, "rope_parameters", object, error));
    /* Ours; transformers' Llama has none. */
    json_object_del(object, "multiple_of");
    json_object_del(object, "memory");
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
