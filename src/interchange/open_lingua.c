#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/path.h"
#include "interchange/foreign.h"

/* Meta Lingua's consolidated checkpoint: params.json and the tensors, whose names are ours. */

#define MAX_PARAMS_BYTES ((size_t)1 << 20)

/* "6,12" */
static mneme_status read_layers(const struct json_place *place, struct memory_config *memory,
                                mneme_error *error) {
    const char *text = json_string_value(json_object_get(place->object, "layers"));
    if (text == NULL) return json_refuse(place, "layers", error, "must be a string");
    while (*text != '\0') {
        char *end;
        errno = 0;
        unsigned long layer = strtoul(text, &end, 10);
        bool is_number = text[0] >= '0' && text[0] <= '9' && errno == 0;
        if (!is_number || (*end != ',' && *end != '\0') ||
            memory->n_layers == MODEL_MAX_MEMORY_LAYERS) {
            return json_refuse(place, "layers", error,
                               "must be at most %d layers with commas between",
                               MODEL_MAX_MEMORY_LAYERS);
        }
        memory->layers[memory->n_layers++] = layer;
        text = *end == ',' ? end + 1 : end;
    }
    return MNEME_OK;
}

/* A layer's form; PEER's has no swilu projection, whatever the key says. */
static mneme_status read_variant(const struct json_place *place, struct memory_config *memory,
                                 mneme_error *error) {
    const struct {
        const char *key;
        bool *value;
    } keys[] = {{"mem_gated", &memory->gated},
                {"peer_variant", &memory->peer_variant},
                {"swilu_projection", &memory->swilu_projection}};
    mneme_status status = MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < sizeof keys / sizeof *keys; i++) {
        status = json_get_bool(place, keys[i].key, KEY_OPTIONAL, keys[i].value, error);
    }
    memory->swilu_projection = memory->swilu_projection && !memory->peer_variant;
    return status;
}

static mneme_status read_memory(const struct json_place *model, struct model_config *config,
                                mneme_error *error) {
    struct json_place place;
    struct memory_config *memory = &config->memory;
    bool enabled = false;
    mneme_status status = json_get_object(model, "productkey_args", KEY_OPTIONAL, &place, error);
    if (status == MNEME_OK) {
        status = json_get_bool(&place, "is_enabled", KEY_OPTIONAL, &enabled, error);
    }
    if (status != MNEME_OK || !enabled) return status;
    /* Lingua's defaults. */
    *memory = (struct memory_config){.n_keys = 1024,
                                     .heads = 4,
                                     .knn = 32,
                                     .k_dim = 512,
                                     .v_dim = config->dim,
                                     .share_values = true,
                                     .query_bias = true,
                                     .swilu_projection = true};
    const struct {
        const char *key;
        size_t *size;
    } sizes[] = {{"mem_n_keys", &memory->n_keys},
                 {"mem_heads", &memory->heads},
                 {"mem_knn", &memory->knn},
                 {"mem_k_dim", &memory->k_dim}};
    status = read_layers(&place, memory, error);
    for (size_t i = 0; status == MNEME_OK && i < sizeof sizes / sizeof *sizes; i++) {
        status = json_get_size(&place, sizes[i].key, KEY_OPTIONAL, 1, 65536, sizes[i].size, error);
    }
    /* -1 stands for dim. */
    const json_t *v_dim = json_object_get(place.object, "mem_v_dim");
    if (status == MNEME_OK && !(json_is_integer(v_dim) && json_integer_value(v_dim) == -1)) {
        status = json_get_size(&place, "mem_v_dim", KEY_OPTIONAL, 1, 65536, &memory->v_dim, error);
    }
    if (status == MNEME_OK) {
        status =
            json_get_bool(&place, "mem_share_values", KEY_OPTIONAL, &memory->share_values, error);
    }
    if (status == MNEME_OK) status = read_variant(&place, memory, error);
    memory->value_proj = memory->swilu_projection || memory->v_dim != config->dim;
    return status;
}

/* n_heads or head_dim is given; n_kv_heads is n_heads by default. */
static mneme_status read_heads(const struct json_place *model, struct model_config *config,
                               mneme_error *error) {
    size_t head_dim = 0;
    mneme_status status =
        json_get_size(model, "n_heads", KEY_OPTIONAL, 1, 4096, &config->n_heads, error);
    if (status == MNEME_OK) {
        status = json_get_size(model, "head_dim", KEY_OPTIONAL, 1, 65536, &head_dim, error);
    }
    if (status != MNEME_OK) return status;
    if (config->n_heads == 0 && head_dim > 0) config->n_heads = config->dim / head_dim;
    if (config->n_heads == 0) return json_refuse(model, "n_heads", error, "missing");
    if (head_dim > 0 && config->n_heads * head_dim != config->dim) {
        return json_refuse(model, "head_dim", error, "is %zu, must be dim / n_heads", head_dim);
    }
    config->n_kv_heads = config->n_heads;
    return json_get_size(model, "n_kv_heads", KEY_OPTIONAL, 1, 4096, &config->n_kv_heads, error);
}

static mneme_status read_model(const struct json_place *model, struct model_config *config,
                               mneme_error *error) {
    const struct {
        const char *key;
        size_t *size;
    } sizes[] = {{"dim", &config->dim},
                 {"n_layers", &config->n_layers},
                 {"vocab_size", &config->vocab_size},
                 {"max_seqlen", &config->max_seq_len}};
    *config = (struct model_config){.dim = 512,
                                    .n_layers = 8,
                                    .max_seq_len = 1024,
                                    .multiple_of = 256,
                                    .norm_eps = 1e-5f,
                                    .rope_theta = 10000.0f};
    mneme_status status = MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < sizeof sizes / sizeof *sizes; i++) {
        status = json_get_size(model, sizes[i].key, i == 2 ? KEY_REQUIRED : KEY_OPTIONAL, 1,
                               1 << 20, sizes[i].size, error);
    }
    if (status == MNEME_OK) status = read_heads(model, config, error);
    if (status == MNEME_OK) {
        status =
            json_get_float(model, "norm_eps", KEY_OPTIONAL, 1e-12f, 1.0f, &config->norm_eps, error);
    }
    if (status == MNEME_OK) {
        status = json_get_float(model, "rope_theta", KEY_OPTIONAL, 1.0f, 1e12f, &config->rope_theta,
                                error);
    }
    if (status == MNEME_OK) {
        status = json_get_bool(model, "weight_tying", KEY_OPTIONAL, &config->tied_output, error);
    }
    if (status == MNEME_OK && json_object_get(model->object, "sliding_window") != NULL) {
        status = json_refuse(model, "sliding_window", error, "not supported");
    }
    return status == MNEME_OK ? read_memory(model, config, error) : status;
}

static mneme_status read_params(const char *folder, struct model_config *config,
                                mneme_error *error) {
    char *path = path_join(folder, "params.json");
    if (path == NULL) return error_set_memory(error, "params.json");
    json_t *object = NULL;
    struct json_place root, model;
    mneme_status status = json_read_file(path, MAX_PARAMS_BYTES, &object, error);
    json_t *inner = json_object_get(object, "model");
    foreign_drop_nulls(inner);
    foreign_drop_nulls(json_object_get(inner, "productkey_args"));
    if (status == MNEME_OK) status = json_place_root(object, path, &root, error);
    if (status == MNEME_OK) status = json_get_object(&root, "model", KEY_REQUIRED, &model, error);
    if (status == MNEME_OK) status = read_model(&model, config, error);
    if (status == MNEME_OK) status = model_config_check(config, path, error);
    json_decref(object);
    free(path);
    return status;
}

static bool has_tensor(const struct safetensors_set *set, size_t layer, const char *part) {
    char name[FOREIGN_NAME_SIZE];
    snprintf(name, sizeof name, "layers.%zu.feed_forward.%s", layer, part);
    return safetensors_set_holder(set, name) != NULL;
}

/* What params.json has no key for: whether the query has a bias, and a read as wide as the model is
 * projected. */
static void find_projections(const struct safetensors_set *set, struct memory_config *memory) {
    if (memory->n_layers == 0) return;
    memory->query_bias = has_tensor(set, memory->layers[0], "query_proj.query_mlps.0.bias");
    if (memory->peer_variant || memory->value_proj) return;
    memory->value_proj = has_tensor(set, memory->layers[0], "value_proj.weight");
}

/* The feed-forward width is the tensors'. */
static void find_hidden(const struct safetensors_set *set, struct model_config *config) {
    for (size_t l = 0; l < config->n_layers; l++) {
        char name[FOREIGN_NAME_SIZE];
        snprintf(name, sizeof name, "layers.%zu.feed_forward.w1.weight", l);
        const struct safetensors *file = safetensors_set_holder(set, name);
        if (file == NULL) continue;
        const struct tensor *w1 = &safetensors_find(file, name)->tensor;
        if (w1->rank == 2) config->hidden_dim = w1->shape[0];
        return;
    }
}

static void same_name(const char *ours, char theirs[FOREIGN_NAME_SIZE]) {
    snprintf(theirs, FOREIGN_NAME_SIZE, "%s", ours);
}

/* Layers that share their values each have a copy in the file; the output that is the embedding. */
static bool is_needless(const struct model *model, const char *theirs) {
    static const char *const tables[] = {".feed_forward.values.weight",
                                         ".feed_forward.values_u.weight",
                                         ".feed_forward.values_v.weight"};
    if (strcmp(theirs, "output.weight") == 0) return model->config.tied_output;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const char *last = strstr(theirs, tables[i]);
        if (last != NULL && strcmp(last, tables[i]) == 0) return model->config.memory.share_values;
    }
    return false;
}

/* PyTorch's own file holds Python objects; what is to be done is said instead. */
static mneme_status check_converted(const char *folder, mneme_error *error) {
    char *pickled = path_join(folder, "consolidated.pth");
    char *weights = path_join(folder, "model.safetensors");
    mneme_status status = MNEME_OK;
    if (pickled == NULL || weights == NULL) {
        status = error_set_memory(error, folder);
    } else if (file_exists(pickled) && !file_exists(weights)) {
        status = error_set(
            error, MNEME_BAD_INPUT,
            "%s: convert it first, in Python: import torch, safetensors.torch as s; "
            "s.save_file({k: v.clone() for k, v in torch.load('consolidated.pth')['model']"
            ".items()}, 'model.safetensors')",
            pickled);
    }
    free(weights);
    free(pickled);
    return status;
}

mneme_status foreign_open_lingua(const char *path, struct model *model, mneme_error *error) {
    static const struct foreign_names names = {same_name, is_needless};
    struct model_config config;
    struct safetensors_set set;
    mneme_status status = check_converted(path, error);
    if (status == MNEME_OK) status = read_params(path, &config, error);
    if (status == MNEME_OK) status = safetensors_set_open(&set, path, error);
    if (status != MNEME_OK) return status;
    find_hidden(&set, &config);
    find_projections(&set, &config.memory);
    status = model_config_check(&config, set.place.text, error);
    if (status == MNEME_OK) status = model_describe(&config, model, error);
    if (status == MNEME_OK) status = foreign_read(&set, &names, model, error);
    safetensors_set_close(&set);
    return status;
}
