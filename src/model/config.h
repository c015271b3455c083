#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"
#include "base/json_read.h"
#include "base/key_table.h"
#include "nn/product_key.h"
#include "nn/rope.h"

#define MODEL_MAX_MEMORY_LAYERS 64

/* How model_initialize fills the parameters. */
enum model_init {
    INIT_OF_MNEME,
    INIT_OF_LINGUA, /* as the reference: the columns of layer_parameters.def */
    MODEL_INIT_COUNT
};

/* Where a memory is: in place of the layer's feed-forward network, or beside it. */
enum memory_placement { MEMORY_REPLACES, MEMORY_BESIDE, MEMORY_PLACEMENT_COUNT };

/* "replace", "beside" */
extern const char *const memory_placement_names[MEMORY_PLACEMENT_COUNT];

/* How the memory of a new model starts: drawn like all weights, or empty, with keys from data
 * (smf/memory_from_data.h). */
enum memory_start { MEMORY_DRAWN, MEMORY_FROM_DATA, MEMORY_START_COUNT };

/* "drawn", "data" */
extern const char *const memory_start_names[MEMORY_START_COUNT];

/* What Lingua divides the standard deviation of a layer's weights by: nothing, sqrt(2 (n_layers +
 * 1)), sqrt(2 (layer + 1)), dim / 4096. */
enum init_std_factor {
    INIT_STD_DISABLED,
    INIT_STD_GLOBAL_DEPTH,
    INIT_STD_CURRENT_DEPTH,
    INIT_STD_DIM_RATIO,
    INIT_STD_FACTOR_COUNT
};

/* Which of attention's linear layers have a bias. */
enum attention_bias {
    ATTENTION_BIAS_NONE,
    ATTENTION_BIAS_QKV,
    ATTENTION_BIAS_QKVO, /* and that of the output */
    ATTENTION_BIAS_COUNT
};

/* "mneme", "lingua"; "disabled", "global_depth", "current_depth", "dim_ratio"; "none",
 * "qkv", "qkvo"; "mneme", "transformers"; "none", "linear", "llama3" */
extern const char *const model_init_names[MODEL_INIT_COUNT];
extern const char *const init_std_factor_names[INIT_STD_FACTOR_COUNT];
extern const char *const attention_bias_names[ATTENTION_BIAS_COUNT];
extern const char *const rope_rule_names[ROPE_RULE_COUNT];
extern const char *const rope_scaling_names[ROPE_SCALING_COUNT];

/* Llama as in Meta Lingua, with the options of its relatives, and its `memory`, struct
 * memory_config, whose names are those of the reference's HashingMemory; memory.n_layers is 0 for a
 * plain transformer. All sizes are counts of elements. config_keys.def says what the members mean.
 */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of the keys in a file */
struct model_config {
#define CONFIG_OBJECT(member, names, documentation) struct memory_config {
#define CONFIG_END(member) \
    }                      \
    member;
#define CONFIG_SIZE(object, member, names, initial, low, high, flags, documentation) size_t member;
#define CONFIG_SIZES(object, member, names, capacity, low, high, documentation) \
    size_t n_##member, member[capacity];
#define CONFIG_FLOAT(object, member, names, initial, low, high, flags, documentation) float member;
#define CONFIG_BOOL(object, member, names, initial, flags, documentation) bool member;
#define CONFIG_CHOICE(object, member, names, type, names_, count, initial, flags, documentation) \
    type member;                                                                                 \
    _Static_assert(sizeof(type) == sizeof(int), "a key_table takes it for an int");
#include "model/config_keys.def"
};

/* What a file means that says nothing of the memory's variants. */
#define MEMORY_PLUS .query_bias = true, .swilu_projection = true, .value_proj = true

/* head_dim, or dim / n_heads. */
size_t model_head_dim(const struct model_config *config);
struct rope model_rope(const struct model_config *config);
/* hidden_dim, or int(2 * 4 * dim / 3) rounded up to a multiple of multiple_of. */
size_t model_hidden_dim(const struct model_config *config);
size_t model_n_slots(const struct model_config *config);
struct product_key_shape model_product_key_shape(const struct model_config *config);
bool model_layer_has_memory(const struct model_config *config, size_t layer);
/* Whether the layer has a feed-forward network, perhaps with a memory beside it. */
bool model_layer_has_ffn(const struct model_config *config, size_t layer);

/* Defaults that depend on other keys; of a struct model_config. */
extern const struct key_default config_n_kv_heads, config_v_dim, config_scale,
    config_swilu_projection, config_value_proj;

/* The place of each key in a table, whatever the file: CONFIG_KEY_dim, CONFIG_KEY_layers. */
enum config_key {
#define CONFIG_OBJECT(member, names, documentation) CONFIG_KEY_##member,
#define CONFIG_END(member)
#define CONFIG_SIZE(object, member, names, initial, low, high, flags, documentation) \
    CONFIG_KEY_##member,
#define CONFIG_SIZES(object, member, names, capacity, low, high, documentation) CONFIG_KEY_##member,
#define CONFIG_FLOAT(object, member, names, initial, low, high, flags, documentation) \
    CONFIG_KEY_##member,
#define CONFIG_BOOL(object, member, names, initial, flags, documentation) CONFIG_KEY_##member,
#define CONFIG_CHOICE(object, member, names, type, names_, count, initial, flags, documentation) \
    CONFIG_KEY_##member,
#include "model/config_keys.def"
    CONFIG_KEY_COUNT
};

/* The files that have a model's keys. */
enum config_file { CONFIG_OF_RECIPE, CONFIG_OF_HF, CONFIG_OF_LINGUA, CONFIG_FILE_COUNT };

/* The keys by their names in a file, for a struct model_config. */
extern const struct key_table config_tables[CONFIG_FILE_COUNT];

/* Checks that the sizes are in range and fit each other; the message names `place` and the key as
 * the file has it. */
mneme_status model_config_check(const struct model_config *config, enum config_file file,
                                const char *place, mneme_error *error);

/* Reads the keys of `root` over the defaults that *config has, and checks that they fit each other.
 * Other keys of the file are ignored. */
mneme_status model_config_read(const struct json_place *root, enum config_file file,
                               struct model_config *config, mneme_error *error);

/* A model folder's config.json, in the style of Hugging Face: Llama's names and a `memory` object.
 */
json_t *model_config_to_json(const struct model_config *config);
mneme_status model_config_from_json(const json_t *object, const char *place,
                                    struct model_config *config, mneme_error *error);

#endif
