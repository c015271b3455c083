#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/path.h"
#include "interchange/foreign.h"
#include "interchange/foreign_keys.h"

/* Meta Lingua's consolidated checkpoint: params.json and the tensors, whose names are ours. */

/* Lingua's defaults where they are not ours. */
static const struct model_config lingua_defaults = {.dim = 512,
                                                    .n_layers = 8,
                                                    .max_seq_len = 1024,
                                                    .multiple_of = 256,
                                                    .norm_eps = 1e-5f,
                                                    .rope_theta = 10000.0f,
                                                    .memory = {.n_keys = 1024,
                                                               .heads = 4,
                                                               .knn = 32,
                                                               .k_dim = 512,
                                                               .share_values = true,
                                                               .query_bias = true}};

/* Keys that say how the model starts, is trained or cut, and those that are looked at here. */
static const struct foreign_key model_keys[] = {
    {"ffn_dim_multiplier", FOREIGN_ANY}, {"head_dim", FOREIGN_ANY},
    {"init_base_std", FOREIGN_ANY},      {"init_std_factor", FOREIGN_ANY},
    {"multiple_of", FOREIGN_ANY},        {"seed", FOREIGN_ANY},
    {"sliding_window", FOREIGN_ANY}};
static const struct foreign_key memory_keys[] = {
    {"is_enabled", FOREIGN_ANY},        {"mem_input_dropout", FOREIGN_ANY},
    {"mem_query_bias", FOREIGN_ANY},    {"mem_query_dropout", FOREIGN_ANY},
    {"mem_value_dropout", FOREIGN_ANY}, {"value_fixed_lr", FOREIGN_ANY}};

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Python's int() of a part of the list: blanks around, a sign, underscores between digits. */
static bool parse_layer(const char *text, size_t length, long *layer) {
    const char *end = text + length;
    while (text < end && is_blank(*text)) text++;
    while (end > text && is_blank(end[-1])) end--;
    bool negative = text < end && *text == '-';
    if (text < end && (*text == '-' || *text == '+')) text++;
    bool digit = false;
    for (*layer = 0; text < end; text++) {
        bool between = *text == '_' && digit;
        digit = *text >= '0' && *text <= '9';
        if (!digit && !between) return false;
        if (digit && *layer <= INT32_MAX) *layer = 10 * *layer + (*text - '0');
    }
    if (negative) *layer = -*layer;
    return digit;
}

/* Marks the layers of "6, 12"; empty parts and layers that the model has not are passed over, as
 * the reference does. False: it is no such list. */
static bool mark_layers(const char *text, bool *marks, size_t n_layers) {
    for (;;) {
        size_t length = strcspn(text, ",");
        long layer = -1;
        if (length > 0 && !parse_layer(text, length, &layer)) return false;
        if (layer >= 0 && (size_t)layer < n_layers) marks[layer] = true;
        if (text[length] == '\0') return true;
        text += length + 1;
    }
}

#define MAX_LAYERS 1024

/* The list in ascending order; NULL: it is none. */
static json_t *list_of_layers(const char *text, size_t n_layers) {
    bool marks[MAX_LAYERS] = {false};
    if (!mark_layers(text, marks, n_layers)) return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < n_layers; i++) {
        if (marks[i]) json_array_append_new(list, json_integer((json_int_t)i));
    }
    return list;
}

/* Sets `layers` as a list, or leaves the memory out where no layer has one. */
static mneme_status adapt_layers(json_t *object, json_t *memory, const struct json_place *model,
                                 mneme_error *error) {
    static const char layers[] = "productkey_args.layers";
    size_t n_layers = lingua_defaults.n_layers;
    const json_t *given = json_object_get(memory, "layers");
    TRY(json_get_size(model, "n_layers", KEY_OPTIONAL, 1, MAX_LAYERS, &n_layers, error));
    if (given != NULL && !json_is_string(given)) {
        return json_refuse(model, layers, error, "must be a string");
    }
    json_t *list = list_of_layers(given == NULL ? "" : json_string_value(given), n_layers);
    if (list == NULL) {
        return json_refuse(model, layers, error, "must be layers with commas between");
    }
    bool empty = json_array_size(list) == 0;
    json_object_set_new(memory, "layers", list);
    if (empty) json_object_del(object, "productkey_args");
    return MNEME_OK;
}

/* Says a memory's settings as a config would: no v_dim where none or a negative one stands for dim,
 * and no swilu projection of PEER, which has none whatever the key says. */
static mneme_status adapt_memory(json_t *memory, const struct json_place *model,
                                 mneme_error *error) {
    bool peer = false;
    const json_t *v_dim = json_object_get(memory, "mem_v_dim");
    if (json_is_integer(v_dim) && json_integer_value(v_dim) < 0) {
        json_object_del(memory, "mem_v_dim");
    }
    TRY(json_get_bool(model, "productkey_args.peer_variant", KEY_OPTIONAL, &peer, error));
    if (peer) json_object_del(memory, "swilu_projection");
    return MNEME_OK;
}

/* n_heads or head_dim is given. */
static mneme_status adapt_heads(json_t *object, const struct json_place *model,
                                mneme_error *error) {
    size_t dim = lingua_defaults.dim, n_heads = 0, head_dim = 0;
    TRY(json_get_size(model, "dim", KEY_OPTIONAL, 1, 65536, &dim, error));
    TRY(json_get_size(model, "n_heads", KEY_OPTIONAL, 1, 4096, &n_heads, error));
    TRY(json_get_size(model, "head_dim", KEY_OPTIONAL, 1, 65536, &head_dim, error));
    if (n_heads == 0 && head_dim > 0) {
        n_heads = dim / head_dim;
        json_object_set_new(object, "n_heads", json_integer((json_int_t)n_heads));
    }
    if (head_dim == 0 || n_heads * head_dim == dim) return MNEME_OK;
    return json_refuse(model, "head_dim", error, "is %zu, must be dim / n_heads", head_dim);
}

static mneme_status read_model(json_t *object, const struct json_place *model,
                               struct model_config *config, mneme_error *error) {
    struct json_place memory;
    bool enabled = false;
    TRY(json_get_object(model, "productkey_args", KEY_OPTIONAL, &memory, error));
    TRY(json_get_bool(&memory, "is_enabled", KEY_OPTIONAL, &enabled, error));
    TRY(foreign_check_keys(model, &config_tables[CONFIG_OF_LINGUA], "", model_keys,
                           sizeof model_keys / sizeof *model_keys, error));
    if (enabled) {
        json_t *inner = json_object_get(object, "productkey_args");
        TRY(foreign_check_keys(&memory, &config_tables[CONFIG_OF_LINGUA], "productkey_args.",
                               memory_keys, sizeof memory_keys / sizeof *memory_keys, error));
        TRY(adapt_memory(inner, model, error));
        TRY(adapt_layers(object, inner, model, error));
    } else {
        json_object_del(object, "productkey_args");
    }
    TRY(adapt_heads(object, model, error));
    if (json_object_get(object, "sliding_window") != NULL) {
        return foreign_refuse_value(model, "sliding_window", "not supported", error);
    }
    *config = lingua_defaults;
    return model_config_read(model, CONFIG_OF_LINGUA, config, error);
}

static mneme_status read_params(const char *folder, struct model_config *config,
                                mneme_error *error) {
    struct path path = path_in(folder, "params.json");
    json_t *object = NULL;
    struct json_place root, model;
    mneme_status status = json_read_file(path.text, JSON_MAX_BYTES, &object, error);
    json_t *inner = json_object_get(object, "model");
    foreign_drop_nulls(inner);
    foreign_drop_nulls(json_object_get(inner, "productkey_args"));
    THEN(json_place_root(object, path.text, &root, error));
    THEN(json_get_object(&root, "model", KEY_REQUIRED, &model, error));
    THEN(read_model(inner, &model, config, error));
    json_decref(object);
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

static void same_name(const struct parameter *parameter, char theirs[FOREIGN_NAME_SIZE]) {
    snprintf(theirs, FOREIGN_NAME_SIZE, "%s", parameter->name);
}

/* Whether a tensor's name ends in one of the parts. */
static bool is_part(const char *name, const char *const *parts, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const char *last = strstr(name, parts[i]);
        if (last != NULL && strcmp(last, parts[i]) == 0) return true;
    }
    return false;
}

/* Layers that share their values each have a copy in the file; the output that is the embedding;
 * the projections that the reference makes for PEER, too, and never uses. */
static bool is_needless(const struct model *model, const char *theirs) {
    static const char *const tables[] = {".feed_forward.values.weight",
                                         ".feed_forward.values_u.weight",
                                         ".feed_forward.values_v.weight"};
    static const char *const projections[] = {
        ".feed_forward.swilu_projection.weight", ".feed_forward.swilu_projection.bias",
        ".feed_forward.value_proj.weight", ".feed_forward.value_proj.bias"};
    const struct memory_config *memory = &model->config.memory;
    if (strcmp(theirs, "output.weight") == 0) return model->config.tied_output;
    return (memory->share_values && is_part(theirs, tables, 3)) ||
           (memory->peer_variant && is_part(theirs, projections, 4));
}

/* PyTorch's own file holds Python objects; what is to be done is said instead. */
static mneme_status check_converted(const char *folder, mneme_error *error) {
    struct path pickled = path_in(folder, "consolidated.pth");
    if (!file_exists(pickled.text) || file_exists(path_in(folder, "model.safetensors").text)) {
        return MNEME_OK;
    }
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: convert it first, in Python: import torch, safetensors.torch as s; "
                     "s.save_file({k: v.clone() for k, v in torch.load('consolidated.pth')['model']"
                     ".items()}, 'model.safetensors')",
                     pickled.text);
}

mneme_status foreign_open_lingua(const char *path, struct model *model, mneme_error *error) {
    static const struct foreign_names names = {same_name, is_needless};
    struct model_config config;
    struct safetensors_set set;
    TRY(check_converted(path, error));
    TRY(read_params(path, &config, error));
    TRY(safetensors_set_open(&set, path, error));
    find_hidden(&set, &config);
    find_projections(&set, &config.memory);
    mneme_status status = model_config_check(&config, CONFIG_OF_LINGUA, set.place.text, error);
    THEN(model_describe(&config, model, error));
    THEN(foreign_read(&set, &names, model, error));
    safetensors_set_close(&set);
    return status;
}
