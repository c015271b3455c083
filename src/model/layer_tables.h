#ifndef MODEL_LAYER_TABLES_H
#define MODEL_LAYER_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/config.h"
#include "model/parameter.h"
#include "tensor/tensor.h"

/* The two tables layer_parameters.def and layer_activations.def, for code that loops over them. */

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

/* ACTIVATION_input, … */
enum layer_activation {
#define LAYER_ACTIVATION(member, ...) ACTIVATION_##member,
#include "model/layer_activations.def"
    LAYER_ACTIVATIONS,
#undef LAYER_ACTIVATION
};

/* What shapes are made of. */
struct layer_sizes {
    size_t vocab, dim;
    size_t q, kv;          /* all query heads, all key-value heads */
    size_t hidden;         /* of the feed-forward part */
    size_t query;          /* of a memory's heads together */
    size_t keys, half_key; /* sub-keys of all heads and halves, and their width */
    size_t reads;          /* slots that a token reads */
    size_t slots, value;   /* of one table */
    bool tied_output;
};

struct layer_sizes layer_sizes(const struct model_config *config);

/* A line of layer_parameters.def, for a certain layer. */
struct parameter_line {
    bool exists;
    const char *name;
    size_t rows, columns; /* 0 columns: a vector */
    enum parameter_kind kind;
    enum parameter_start start;
    unsigned roles;
    const char *hf_name; /* or NULL */
};

/* The lines of a layer with a feed-forward part, a memory, or both. */
void layer_parameter_lines(const struct model_config *config, bool ffn, bool memory,
                           struct parameter_line lines[LAYER_PARAMETERS]);
void model_parameter_lines(const struct model_config *config,
                           struct parameter_line lines[MODEL_PARAMETERS]);

/* A line of layer_activations.def, for a certain layer. */
struct activation_line {
    bool exists;
    size_t width;
    enum tensor_type type;
    const char *recorded; /* or NULL */
};

void layer_activation_lines(const struct model_config *config, bool ffn, bool memory,
                            struct activation_line lines[LAYER_ACTIVATIONS]);

#endif
