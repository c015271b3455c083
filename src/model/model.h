#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/config.h"
#include "model/parameter.h"
#include "tensor/safetensors_map.h"
#include "tensor/tensor.h"

/* One layer's parameters, `wq` and the like, by their names or by their lines in
 * layer_parameters.def; NULL: the layer has none. */
struct layer {
    union {
        struct {
#define MODEL_PARAMETER(...)
#define LAYER_PARAMETER(member, ...) struct parameter *member;
#include "model/layer_parameters.def"
#undef LAYER_PARAMETER
#undef MODEL_PARAMETER
        };
        struct parameter *parameters[LAYER_PARAMETERS];
    };
    size_t memory_index; /* which memory layer this is, from the bottom */
    size_t table_index;  /* which value table it reads */
};
_Static_assert(offsetof(struct layer, memory_index) ==
                   LAYER_PARAMETERS * sizeof(struct parameter *),
               "a layer's members are the lines of layer_parameters.def");

/* A memory-layer transformer: configuration and parameters by name. */
struct model {
    struct model_config config;
    size_t n_parameters;
    struct parameter *parameters; /* [n_parameters], in order of computation */
    struct layer *layers;         /* [n_layers] */
    struct parameter *embedding;  /* [vocab_size, dim] */
    struct parameter *norm;       /* [dim] */
    struct parameter *output;     /* [vocab_size, dim]; the embedding itself when tied */
    size_t n_tables;              /* value tables */
    float *values;                /* all tables one after the other: [n_tables * n_slots, v_dim];
                                     NULL when they are of 16 bits, each in its file */
    float *values_u;              /* PEER: the same for the tables that the input is scored with */
    struct arena arena;
    struct safetensors_map files; /* which parameters may lie in */
};

/* What a rehearsal calls the parameters that do. */
#define WEIGHTS_IN_FILE "weights in their file"

/* Names and shapes of the parameters, without room for them: their data is NULL. */
mneme_status model_describe(const struct model_config *config, struct model *model,
                            mneme_error *error);
/* Makes room for the parameters of a described model that have no data yet, all zero. Closes it on
 * failure. */
mneme_status model_allocate(struct model *model, mneme_error *error);
/* Makes a model with all parameters zero. */
mneme_status model_open(const struct model_config *config, struct model *model, mneme_error *error);
void model_close(struct model *model);

/* Fills the parameters with their initial values (enum parameter_start), functions of the seed and
 * the parameter's number. */
void model_initialize(struct model *model, uint64_t seed);
/* Those of the memory layers alone. */
void model_initialize_memory(struct model *model, uint64_t seed);

/* Standard normal number `index` of a stream (Box-Muller on canonical functions). */
float model_random_normal(uint64_t seed, uint64_t stream, uint64_t index);

/* The parameter of that name, or NULL. */
struct parameter *model_parameter(struct model *model, const char *name);

size_t model_count(const struct model *model);

/* Whether no parameter has an infinity or a NaN. */
bool model_is_finite(const struct model *model);

/* DIR/model.safetensors and DIR/config.json, each whole or not at all. */
mneme_status model_save(const struct model *model, const char *directory, mneme_error *error);
/* The same with all parameters rounded to a type; NULL: each of its own. */
mneme_status model_save_as(const struct model *model, const char *directory,
                           const enum stored_type *as, mneme_error *error);
/* Opens a model from such a folder, whose weights may be in shards (tensor/safetensors_set.h);
 * refuses what does not fit the config, naming the tensor, before it makes room for the weights. */
mneme_status model_load(const char *directory, struct model *model, mneme_error *error);
/* The same for a model of which nothing but its value tables will be written to: its large weights
 * stay in the mapped files, those of 16 bits as they are. (model_load and model_read widen them:
 * what is trained is f32.) Value tables of 16 bits stay there too, and their rows become f32 as
 * they change (smf/value_rows.h). */
mneme_status model_map(const char *directory, struct model *model, mneme_error *error);
/* Notes how the set's files hold those parameters of a described model that have none of the roles;
 * it has passed model_check_tensors. */
void model_note_types(struct model *model, const struct safetensors_set *set, unsigned without);
/* How model_map then has a parameter in memory. */
enum stored_type model_kept_type(const struct parameter *parameter);
/* Gives back the memory of a weight that lies in a file until it is looked at again. */
void parameter_forget(const struct parameter *parameter);
/* Of all of them. */
void model_forget_files(const struct model *model);
/* Refuses files whose tensors are not the described model's parameters, no more and no fewer. */
mneme_status model_check_tensors(const struct model *model, const struct safetensors_set *set,
                                 mneme_error *error);
/* Such a folder's config.json. */
mneme_status model_load_config(const char *directory, struct model_config *config,
                               mneme_error *error);
/* Opens a folder's model and gives it a memory, whose parameters are all zero; memory->n_layers is
 * not 0. (memory_from_data makes it one that can be used.) The folder's weights are as with
 * model_map.
 * Refuses a folder whose model has a memory, and a memory that does not fit the model. */
mneme_status model_load_with_memory(const char *directory, const struct memory_config *memory,
                                    struct model *model, mneme_error *error);
/* Reads all parameters that the folder's model has: those of a model with the same config, or of
 * one without memory, whose parameters here stay as they are. */
mneme_status model_read_base(const char *directory, struct model *model, mneme_error *error);

/* Reads all parameters from a folder's model of the same sizes, to where they are; after a failure
 * they are anything. */
mneme_status model_read(const char *directory, struct model *model, mneme_error *error);

/* The digest of all parameters, by the rules in <mneme/digest.h>: that of the file that model_save
 * would write. */
mneme_status parameter_digest_model(const struct model *model, struct digest *digest,
                                    mneme_error *error);

#endif
