#include "interchange/gguf_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "interchange/gguf_rope.h"

/* The converter of llama.cpp brings the rows of a llama's q and k into the order in which
 * neighbours are pairs, which is ours; those of the others it leaves. */
static const struct gguf_architecture architectures[] = {
    {"llama", false, false}, {"qwen2", true, false}, {"qwen3", true, true}};
#define N_ARCHITECTURES (sizeof architectures / sizeof *architectures)

/* Keys of `llama.*` that set what a config.json of transformers sets. */
static const struct {
    const char *theirs, *hf;
} same[] = {
    {"vocab_size", "vocab_size"},
    {"context_length", "max_position_embeddings"},
    {"embedding_length", "hidden_size"},
    {"block_count", "num_hidden_layers"},
    {"feed_forward_length", "intermediate_size"},
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads"},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    {"attention.key_length", "head_dim"},
    {"rope.freq_base", "rope_theta"},
};

/* Keys that must say what is so anyway: the width of a head, no window, no experts. */
static const char *const of_head[] = {"rope.dimension_count", "attention.value_length"};
static const char *const off[] = {"expert_count", "expert_used_count", "attention.sliding_window",
                                  "attention.clamp_kqv", "attention.max_alibi_bias"};
static const char *const one[] = {"rope.scale", "logit_scale", "embedding_scale", "residual_scale"};
/* How the file was made, and what gguf_rope.c looks at. */
static const char *const harmless[] = {
    "tensor_data_layout",     "rope.scaling.original_context_length",
    "rope.scaling.type",      "rope.scaling.factor",
    "rope.scaling.finetuned", "rope.scale_linear"};

static bool is_in(const char *key, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(key, list[i]) == 0) return true;
    }
    return false;
}

#define IS_IN(key, list) is_in(key, list, sizeof(list) / sizeof *(list))

static bool is_same(const char *key) {
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (strcmp(key, same[i].theirs) == 0) return true;
    }
    return false;
}

/* Whether a value leaves the computation as it is. */
static bool changes_nothing(const char *key, const json_t *value, size_t head_dim) {
    double number = json_number_value(value);
    if (is_same(key) || IS_IN(key, harmless)) return true;
    if (IS_IN(key, of_head)) return number == (double)head_dim;
    if (IS_IN(key, off)) return json_is_number(value) && number == 0.0;
    if (strcmp(key, "attention.causal") == 0) return json_is_true(value);
    if (IS_IN(key, one)) return number == 1.0;
    return json_is_false(value);
}

static mneme_status check_others(const struct gguf *file, const char *architecture, size_t head_dim,
                                 mneme_error *error) {
    const char *key;
    json_t *value;
    const size_t length = strlen(architecture);
    json_object_foreach(file->metadata, key, value) {
        if (strncmp(key, architecture, length) != 0 || key[length] != '.') continue;
        if (changes_nothing(key + length + 1, value, head_dim)) continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        error_set(error, MNEME_BAD_INPUT, "%s: %s: is %.80s, which is not supported",
                  file->file.path, key, text == NULL ? "(no memory)" : text);
        free(text);
        return MNEME_BAD_INPUT;
    }
    return MNEME_OK;
}

/* Which biases the layers have, by the tensors of the first. */
static enum attention_bias bias_of(const struct gguf *file) {
    if (gguf_find(file, "blk.0.attn_q.bias") == NULL) return ATTENTION_BIAS_NONE;
    return gguf_find(file, "blk.0.attn_output.bias") == NULL ? ATTENTION_BIAS_QKV
                                                             : ATTENTION_BIAS_QKVO;
}

static void set_options(const struct gguf *file, const struct gguf_architecture *architecture,
                        json_t *object) {
    const bool tied = gguf_find(file, "output.weight") == NULL;
    const bool mlp_bias = gguf_find(file, "blk.0.ffn_gate.bias") != NULL;
    json_object_set_new(object, "tie_word_embeddings", json_boolean(tied));
    json_object_set_new(object, "attention_bias", json_string(attention_bias_names[bias_of(file)]));
    json_object_set_new(object, "mlp_bias", json_boolean(mlp_bias));
    json_object_set_new(object, "qk_norm", json_boolean(architecture->qk_norm));
    json_object_set_new(object, "rope_rule", json_string(rope_rule_names[ROPE_OF_TRANSFORMERS]));
}

/* The metadata as a config.json, in which the number of tokens may come from the embedding. */
static json_t *as_hf(const struct gguf *file, const struct gguf_architecture *architecture) {
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char key[96];
        snprintf(key, sizeof key, "%s.%s", architecture->name, same[i].theirs);
        json_t *value = json_object_get(file->metadata, key);
        if (value != NULL) json_object_set(object, same[i].hf, value);
    }
    const struct gguf_entry *embedding = gguf_find(file, "token_embd.weight");
    if (embedding != NULL && embedding->rank == 2) {
        json_object_set_new(object, "vocab_size", json_integer((json_int_t)embedding->shape[0]));
    }
    set_options(file, architecture, object);
    return object;
}

static mneme_status config_of(const struct gguf *file, const struct gguf_architecture *architecture,
                              json_t *object, struct model_config *config, mneme_error *error) {
    struct json_place root;
    static const char *const needed[] = {"rms_norm_eps", "intermediate_size"};
    TRY(json_place_root(object, file->file.path, &root, error));
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (json_object_get(object, needed[i]) == NULL) {
            return json_refuse(&root, needed[i], error, "the metadata does not have it");
        }
    }
    TRY(gguf_rope_scaling(file, architecture->name, object, error));
    *config = (struct model_config){0};
    keys_set_defaults(&config_tables[CONFIG_OF_HF], config);
    TRY(model_config_read(&root, CONFIG_OF_HF, config, error));
    TRY(check_others(file, architecture->name, model_head_dim(config), error));
    return gguf_rope_factors(file, config, error);
}

/* NULL: none of those that can be read. */
static const struct gguf_architecture *find_architecture(const char *name) {
    for (size_t i = 0; name != NULL && i < N_ARCHITECTURES; i++) {
        if (strcmp(name, architectures[i].name) == 0) return &architectures[i];
    }
    return NULL;
}

mneme_status gguf_config(const struct gguf *file, const struct gguf_architecture **architecture,
                         struct model_config *config, mneme_error *error) {
    const char *name = json_string_value(json_object_get(file->metadata, "general.architecture"));
    *architecture = find_architecture(name);
    if (*architecture == NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: general.architecture: is %.64s, must be llama, qwen2 or qwen3",
                         file->file.path, name == NULL ? "missing" : name);
    }
    json_t *object = as_hf(file, *architecture);
    if (object == NULL) return error_set_memory(error, file->file.path);
    mneme_status status = config_of(file, *architecture, object, config, error);
    json_decref(object);
    return status;
}
