#include "model/config.h"

const char *const model_init_names[MODEL_INIT_COUNT] = {"mneme", "lingua"};
const char *const memory_placement_names[MEMORY_PLACEMENT_COUNT] = {"replace", "beside"};
const char *const memory_start_names[MEMORY_START_COUNT] = {"drawn", "data"};
const char *const init_std_factor_names[INIT_STD_FACTOR_COUNT] = {"disabled", "global_depth",
                                                                  "current_depth", "dim_ratio"};
const char *const attention_bias_names[ATTENTION_BIAS_COUNT] = {"none", "qkv", "qkvo"};
const char *const rope_rule_names[ROPE_RULE_COUNT] = {"mneme", "transformers"};
const char *const rope_scaling_names[ROPE_SCALING_COUNT] = {"none", "linear", "llama3"};

size_t model_head_dim(const struct model_config *config) {
    return config->head_dim > 0 ? config->head_dim : config->dim / config->n_heads;
}

static float value_or(float value, float otherwise) {
    return value > 0.0f ? value : otherwise;
}

struct rope model_rope(const struct model_config *config) {
    const size_t original = config->rope_original;
    return (struct rope){.theta = config->rope_theta,
                         .rule = config->rope_rule,
                         .scaling = config->rope_scaling,
                         .factor = value_or(config->rope_factor, 1.0f),
                         .low_freq = value_or(config->rope_low_freq, 1.0f),
                         .high_freq = value_or(config->rope_high_freq, 4.0f),
                         .original = (float)(original > 0 ? original : config->max_seq_len)};
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

bool model_layer_has_ffn(const struct model_config *config, size_t layer) {
    return config->memory.placement == MEMORY_BESIDE || !model_layer_has_memory(config, layer);
}

static size_t as_many_as_heads(const void *config) {
    return ((const struct model_config *)config)->n_heads;
}
static size_t as_wide_as_model(const void *config) {
    return ((const struct model_config *)config)->dim;
}
static float by_start(const void *config) {
    return ((const struct model_config *)config)->memory.start == MEMORY_FROM_DATA ? 1.0f : 0.01f;
}
static size_t unless_peer_or_data(const void *config) {
    const struct memory_config *memory = &((const struct model_config *)config)->memory;
    return !memory->peer_variant && memory->start == MEMORY_DRAWN;
}
static size_t where_needed(const void *config) {
    const struct model_config *model = config;
    return model->memory.swilu_projection || model->memory.v_dim != model->dim;
}

const struct key_default config_n_kv_heads = {.text = "n_heads", .value = as_many_as_heads};
const struct key_default config_v_dim = {.text = "dim", .value = as_wide_as_model};
const struct key_default config_scale = {.text = "0.01; 1 with init `data`", .number = by_start};
const struct key_default config_swilu_projection = {
    .text = "true; false with `peer_variant` or init `data`", .value = unless_peer_or_data};
const struct key_default config_value_proj = {
    .text = "true with `swilu_projection` or v_dim other than dim", .value = where_needed};

#define CONFIG_OWNER 0

static const struct key of_recipe[] = {
#define NAMES(recipe, hf, lingua) recipe
#include "model/config_rows.def"
};

/* The last ones are written by Hugging Face's tools and change no number here. */
#define OTHER(name) \
    { .path = name, .type = KEY_OTHER }
static const struct key of_hf[] = {
#define NAMES(recipe, hf, lingua) hf
#include "model/config_rows.def"
    OTHER("contract"),      OTHER("model_type"),    OTHER("hidden_act"),
    OTHER("architectures"), OTHER("auto_map"),      OTHER("bos_token_id"),
    OTHER("dtype"),         OTHER("eos_token_id"),  OTHER("initializer_range"),
    OTHER("pad_token_id"),  OTHER("torch_dtype"),   OTHER("transformers_version"),
    OTHER("use_cache"),     OTHER("_name_or_path"),
};

static const struct key of_lingua[] = {
#define NAMES(recipe, hf, lingua) lingua
#include "model/config_rows.def"
};

#define TABLE(keys) \
    { (keys), sizeof(keys) / sizeof *(keys) }
const struct key_table config_tables[CONFIG_FILE_COUNT] = {TABLE(of_recipe), TABLE(of_hf),
                                                           TABLE(of_lingua)};

/* A key's path in a file, and its name there. */
#define PATH(file, member) config_tables[file].keys[CONFIG_KEY_##member].path
#define NAME(file, member) key_name(&config_tables[file].keys[CONFIG_KEY_##member])

static mneme_status check_heads(const struct model_config *config, enum config_file file,
                                const struct json_place *place, mneme_error *error) {
    if (config->head_dim == 0 && config->dim % config->n_heads != 0) {
        return json_refuse(place, PATH(file, n_heads), error, "%zu does not divide %s, %zu",
                           config->n_heads, NAME(file, dim), config->dim);
    }
    if (config->head_dim % 2 != 0) {
        return json_refuse(place, PATH(file, head_dim), error, "is %zu, must be even",
                           config->head_dim);
    }
    if (model_head_dim(config) % 2 != 0) {
        return json_refuse(place, PATH(file, n_heads), error, "%s / %s must be even, is %zu",
                           NAME(file, dim), NAME(file, n_heads), model_head_dim(config));
    }
    if (config->n_heads % config->n_kv_heads != 0) {
        return json_refuse(place, PATH(file, n_kv_heads), error, "%zu does not divide %s, %zu",
                           config->n_kv_heads, NAME(file, n_heads), config->n_heads);
    }
    return MNEME_OK;
}

static mneme_status check_rope(const struct model_config *config, enum config_file file,
                               const struct json_place *place, mneme_error *error) {
    const struct rope rope = model_rope(config);
    if (rope.scaling != ROPE_LLAMA3 || rope.low_freq < rope.high_freq) return MNEME_OK;
    return json_refuse(place, PATH(file, rope_high_freq), error, "must be above %s",
                       NAME(file, rope_low_freq));
}

static mneme_status check_layers(const struct model_config *config, enum config_file file,
                                 const struct json_place *place, mneme_error *error) {
    const struct memory_config *memory = &config->memory;
    if (memory->n_layers > MODEL_MAX_MEMORY_LAYERS) {
        return json_refuse(place, PATH(file, layers), error, "must have at most %d elements",
                           MODEL_MAX_MEMORY_LAYERS);
    }
    for (size_t i = 0; i < memory->n_layers; i++) {
        if (memory->layers[i] >= config->n_layers) {
            return json_refuse(place, PATH(file, layers), error,
                               "layer %zu: the model has layers 0 to %zu", memory->layers[i],
                               config->n_layers - 1);
        }
        if (i > 0 && memory->layers[i] <= memory->layers[i - 1]) {
            return json_refuse(place, PATH(file, layers), error, "must ascend");
        }
    }
    return MNEME_OK;
}

/* Whether the parts of a memory layer fit each other. */
static mneme_status check_variant(const struct memory_config *memory, size_t dim,
                                  enum config_file file, const struct json_place *place,
                                  mneme_error *error) {
    /* Lingua has no key for it; there v_dim decides. */
    const char *projection = PATH(file, value_proj);
    if (projection == NULL) projection = PATH(file, v_dim);
    if (memory->peer_variant && memory->swilu_projection) {
        return json_refuse(place, PATH(file, swilu_projection), error, "PEER has none");
    }
    if (memory->peer_variant && memory->value_proj) {
        return json_refuse(place, projection, error, "PEER has none, and its v_dim is %zu", dim);
    }
    if (memory->swilu_projection && !memory->value_proj) {
        return json_refuse(place, projection, error, "swilu_projection needs it");
    }
    if (!memory->value_proj && memory->v_dim != dim) {
        return json_refuse(place, PATH(file, v_dim), error,
                           "is %zu; without value_proj it must be %zu", memory->v_dim, dim);
    }
    return MNEME_OK;
}

static mneme_status check_memory(const struct model_config *config, enum config_file file,
                                 const struct json_place *place, mneme_error *error) {
    const struct memory_config *memory = &config->memory;
    if (memory->n_layers == 0) return MNEME_OK;
    TRY(check_layers(config, file, place, error));
    if (memory->knn > memory->n_keys) {
        return json_refuse(place, PATH(file, knn), error, "%zu is more than %s, %zu", memory->knn,
                           NAME(file, n_keys), memory->n_keys);
    }
    if (memory->k_dim % 2 != 0) {
        return json_refuse(place, PATH(file, k_dim), error, "must be even");
    }
    if (memory->start == MEMORY_FROM_DATA && !memory->query_bias) {
        return json_refuse(place, PATH(file, query_bias), error,
                           "a memory with keys from data needs it");
    }
    return check_variant(memory, config->dim, file, place, error);
}

mneme_status model_config_check(const struct model_config *config, enum config_file file,
                                const char *place, mneme_error *error) {
    const struct json_place root = {.place = place};
    TRY(keys_check_ranges(&config_tables[file], place, config, error));
    TRY(check_heads(config, file, &root, error));
    TRY(check_rope(config, file, &root, error));
    return check_memory(config, file, &root, error);
}

mneme_status model_config_read(const struct json_place *root, enum config_file file,
                               struct model_config *config, mneme_error *error) {
    TRY(keys_read(&config_tables[file], root, 0, config, error));
    if (config->memory.n_layers == 0) config->memory = (struct memory_config){0};
    if (config->head_dim * config->n_heads == config->dim) config->head_dim = 0; /* one form */
    return model_config_check(config, file, root->place, error);
}
