#include "model/parameter.h"

struct layer_sizes layer_sizes(const struct model_config *config) {
    const struct memory_config *memory = &config->memory;
    size_t head_dim = model_head_dim(config);
    return (struct layer_sizes){.vocab = config->vocab_size,
                                .dim = config->dim,
                                .q = config->n_heads * head_dim,
                                .kv = config->n_kv_heads * head_dim,
                                .heads = config->n_heads,
                                .kv_heads = config->n_kv_heads,
                                .head_dim = head_dim,
                                .hidden = model_hidden_dim(config),
                                .query = memory->heads * memory->k_dim,
                                .keys = memory->heads * 2 * memory->n_keys,
                                .half_key = memory->k_dim / 2,
                                .reads = memory->heads * memory->knn,
                                .slots = model_n_slots(config),
                                .value = memory->v_dim,
                                .tied_output = config->tied_output,
                                .qkv_bias = config->attention_bias != ATTENTION_BIAS_NONE,
                                .o_bias = config->attention_bias == ATTENTION_BIAS_QKVO,
                                .mlp_bias = config->mlp_bias,
                                .qk_norm = config->qk_norm};
}

/* Linear layers and tables of rows start at random; no other role but that of keys does. */
#define IS_RANDOM(start)                                   \
    (PARAMETER_STARTS_##start != PARAMETER_STARTS_ZEROS && \
     PARAMETER_STARTS_##start != PARAMETER_STARTS_ONES &&  \
     PARAMETER_STARTS_##start != PARAMETER_STARTS_BIAS &&  \
     PARAMETER_STARTS_##start != PARAMETER_STARTS_KEYS &&  \
     PARAMETER_STARTS_##start != PARAMETER_STARTS_SCALE)
#define IS_ROWS(kind, roles)                 \
    (PARAMETER_##kind != PARAMETER_COMMON || \
     ((roles) & (ROLE_LINEAR | ROLE_OUTPUT | ROLE_EMBEDDING)) != 0)
#define MODEL_PARAMETER(...) LAYER_PARAMETER(__VA_ARGS__)
#define LAYER_PARAMETER(member, name, exists, rows, columns, kind, start, lingua, roles, hf, gguf) \
    _Static_assert(                                                                                \
        IS_RANDOM(start) == IS_ROWS(kind, roles) && IS_RANDOM(lingua) == IS_ROWS(kind, roles),     \
        #member ": start and roles do not fit");                                                   \
    _Static_assert(PARAMETER_##kind == PARAMETER_COMMON || ((roles)&ROLE_MEMORY) != 0,             \
                   #member ": a value table is a memory's");
#include "model/layer_parameters.def"
#undef LAYER_PARAMETER
#undef MODEL_PARAMETER
#define LINE(name, exists, rows, columns, kind, start, lingua, roles, hf, gguf)             \
    (struct parameter_line) {                                                               \
        name, hf, gguf, rows, columns, PARAMETER_##kind,                                    \
            of_lingua ? PARAMETER_STARTS_##lingua : PARAMETER_STARTS_##start, roles, exists \
    }

void layer_parameter_lines(const struct model_config *config, bool ffn, bool memory,
                           struct parameter_line lines[LAYER_PARAMETERS]) {
    const struct layer_sizes sizes = layer_sizes(config), *s = &sizes;
    const struct memory_config *m = &config->memory;
    const bool of_lingua = config->init == INIT_OF_LINGUA;
    const bool beside = m->placement == MEMORY_BESIDE;
#define OF_MEMORY(name) (beside ? "memory." name : "feed_forward." name)
#define MODEL_PARAMETER(...)
#define LAYER_PARAMETER(member, ...) lines[LAYER_##member] = LINE(__VA_ARGS__);
#include "model/layer_parameters.def"
#undef LAYER_PARAMETER
#undef MODEL_PARAMETER
#undef OF_MEMORY
}

void model_parameter_lines(const struct model_config *config,
                           struct parameter_line lines[MODEL_PARAMETERS]) {
    const struct layer_sizes sizes = layer_sizes(config), *s = &sizes;
    const bool of_lingua = config->init == INIT_OF_LINGUA;
#define MODEL_PARAMETER(member, ...) lines[MODEL_##member] = LINE(__VA_ARGS__);
#define LAYER_PARAMETER(...)
#include "model/layer_parameters.def"
#undef LAYER_PARAMETER
#undef MODEL_PARAMETER
}
