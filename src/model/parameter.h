#ifndef MODEL_PARAMETER_H
#define MODEL_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/error.h"
#include "model/config.h"
#include "nn/row_table.h"
#include "tensor/tensor.h"

#define PARAMETER_NAME_SIZE 80
#define PARAMETER_MAX_RANK 2

/* Tables of memory values are a parameter group of their own. All tables of a kind lie one after
 * the other, in the model as in its gradients, so that a slot of any table is one row number. */
enum parameter_kind {
    PARAMETER_COMMON,
    PARAMETER_VALUES,  /* a memory layer's value table; PEER's values_v */
    PARAMETER_VALUES_U /* PEER's values_u; row numbers as in the table that it goes with */
};

/* What model_initialize fills a parameter with. */
enum parameter_start {
    PARAMETER_STARTS_ZEROS,
    PARAMETER_STARTS_ONES,
    PARAMETER_STARTS_NORMAL,     /* normal, std columns^-0.5 */
    PARAMETER_STARTS_NORMAL_OUT, /* normal, std rows^-0.5 */
    PARAMETER_STARTS_BRANCH,     /* normal, std (2 n_layers columns)^-0.5: what makes a sum with the
                                    stream */
    PARAMETER_STARTS_TRUNCATED,  /* normal, std columns^-0.5, none beyond 3 std; in a layer std is
                                    init_base_std where that is given, over init_std_factor's */
    PARAMETER_STARTS_XAVIER,     /* uniform in +-sqrt(6 / (rows + columns)) */
    PARAMETER_STARTS_BIAS,       /* uniform in +-columns^-0.5 of the weight before it, as PyTorch's
                                    Linear */
    PARAMETER_STARTS_KEYS,       /* uniform in +-1/sqrt(k_dim) */
    PARAMETER_STARTS_SCALE       /* the memory's `scale` of the config */
};

enum parameter_role {
    ROLE_LINEAR = 1, /* the weight of a linear layer: may have an adapter, may be packed */
    ROLE_OUTPUT = 2, /* the output layer's weight: may be packed */
    ROLE_KEYS = 4,   /* sub-keys: may be packed, in the lookup's way */
    ROLE_MEMORY = 8, /* of a memory layer */
    ROLE_EMBEDDING = 16,
    ROLE_TIED = ROLE_EMBEDDING | ROLE_OUTPUT, /* both at once */
};

/* A named tensor of a model, or of its adapters. */
struct parameter {
    char name[PARAMETER_NAME_SIZE]; /* as in Meta Lingua */
    size_t index;                   /* its number: the model's parameters, then the adapters' */
    size_t rank;
    size_t shape[PARAMETER_MAX_RANK];
    size_t count;
    enum parameter_kind kind;
    enum parameter_start start; /* by the config's init */
    unsigned roles;
    bool in_file;                    /* data is a part of a file, and cannot be written to */
    size_t layer;                    /* that it belongs to, where it belongs to one */
    const char *hf_name, *gguf_name; /* as in layer_parameters.def */
    float *data;                     /* [shape]; NULL: they are `narrow` */
    struct stored narrow;            /* [shape] of 16 bits, in a file; data is NULL */
    enum stored_type file_type;      /* in the file that it came from: parameter_file_tensor */
    struct changed_rows *changed;    /* of a narrow value table; else NULL */
};

/* The numbers, as they are stored; of a value table without the rows that have changed. */
static inline struct stored parameter_stored(const struct parameter *parameter) {
    return parameter->data == NULL ? parameter->narrow : stored_f32(parameter->data);
}

static inline size_t parameter_bytes(const struct parameter *parameter) {
    return parameter->count * stored_size(parameter_stored(parameter).type);
}

/* A value table as it is read. */
static inline struct row_table parameter_rows(const struct parameter *table) {
    return (struct row_table){parameter_stored(table), table->changed};
}

/* n numbers from number `first` on, widened; those of changed rows of a value table, too. */
void parameter_read(const struct parameter *parameter, size_t first, size_t n, float *numbers);

/* Whether no number is an infinity or NaN. */
bool parameter_is_finite(const struct parameter *parameter);

/* A parameter's name and shape with `data` [shape], floats. */
static inline struct tensor parameter_tensor(const struct parameter *parameter, const float *data) {
    struct tensor tensor = {
        .name = parameter->name, .type = TENSOR_F32, .rank = parameter->rank, .data = data};
    for (size_t i = 0; i < parameter->rank; i++) tensor.shape[i] = parameter->shape[i];
    return tensor;
}

/* A parameter as a file holds it: in the type *as, rounded, or in its own where that is NULL.
 * MNEME_BAD_INPUT, naming parameter and element, where a number is beyond that type. The tensor
 * reads the parameter when it is written. */
mneme_status parameter_file_tensor(const struct parameter *parameter, const enum stored_type *as,
                                   struct tensor *tensor, mneme_error *error);

/* tensor, of `count` floats at tensor->data, becomes one of another type. The same refusal. */
mneme_status parameter_narrow_tensor(struct tensor *tensor, size_t count, enum stored_type as,
                                     mneme_error *error);

/* The type that a parameter has in a file when none is asked for. */
enum stored_type parameter_own_type(const struct parameter *parameter);

/* Of n parameters, each of its own type, by the rules in <mneme/digest.h>. */
mneme_status parameter_digest_list(size_t n, struct parameter *const *parameters,
                                   struct digest *digest, mneme_error *error);

/* LAYER_wq, …: a layer's parameters. */
enum layer_parameter {
#define MODEL_PARAMETER(...)
#define LAYER_PARAMETER(member, ...) LAYER_##member,
#include "model/layer_parameters.def"
    LAYER_PARAMETERS,
#undef MODEL_PARAMETER
#undef LAYER_PARAMETER
};

/* MODEL_embedding, …: those outside the layers. */
enum model_parameter {
#define MODEL_PARAMETER(member, ...) MODEL_##member,
#define LAYER_PARAMETER(...)
#include "model/layer_parameters.def"
    MODEL_PARAMETERS,
#undef MODEL_PARAMETER
#undef LAYER_PARAMETER
};

/* What shapes are made of. */
struct layer_sizes {
    size_t vocab, dim;
    size_t q, kv; /* all query heads, all key-value heads */
    size_t heads, kv_heads, head_dim;
    size_t hidden;         /* of the feed-forward part */
    size_t query;          /* of a memory's heads together */
    size_t keys, half_key; /* sub-keys of all heads and halves, and their width */
    size_t reads;          /* slots that a token reads */
    size_t slots, value;   /* of one table */
    bool tied_output;
    bool qkv_bias, o_bias, mlp_bias, qk_norm;
};

struct layer_sizes layer_sizes(const struct model_config *config);

/* A line of layer_parameters.def, for a certain layer. */
struct parameter_line {
    const char *name;
    const char *hf_name, *gguf_name; /* or NULL */
    size_t rows, columns;            /* 0 columns: a vector */
    enum parameter_kind kind;
    enum parameter_start start; /* by the config's init */
    unsigned roles;
    bool exists;
};

/* The lines of a layer with a feed-forward part, a memory, or both. */
void layer_parameter_lines(const struct model_config *config, bool ffn, bool memory,
                           struct parameter_line lines[LAYER_PARAMETERS]);
void model_parameter_lines(const struct model_config *config,
                           struct parameter_line lines[MODEL_PARAMETERS]);

#endif
