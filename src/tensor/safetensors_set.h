#ifndef TENSOR_SAFETENSORS_SET_H
#define TENSOR_SAFETENSORS_SET_H

#include "base/path.h"
#include "tensor/safetensors.h"

/* The tensors of a model folder: of its model.safetensors or, where there is none, of the files
 * (shards) that its model.safetensors.index.json names:
 * `{"weight_map": {TENSOR: FILE, …}, …}`, each file beside the index. */

#define SAFETENSORS_MAX_SHARDS 512

struct safetensors_set {
    struct path place;         /* the file or the index, for messages */
    struct safetensors *files; /* [n_files] */
    size_t n_files;
    size_t capacity;
    size_t n; /* tensors in all files */
};

/* MNEME_BAD_INPUT, naming file and tensor, when a file is not valid (see safetensors_open), has a
 * broken seal, or
 * index and files do not name the same tensors, each in one file. */
mneme_status safetensors_set_open(struct safetensors_set *set, const char *folder,
                                  mneme_error *error);
/* Does nothing to {0}. */
void safetensors_set_close(struct safetensors_set *set);

/* The file that holds the tensor, or NULL. */
const struct safetensors *safetensors_set_holder(const struct safetensors_set *set,
                                                 const char *name);

/* The type of a tensor that safetensors_set_check_f32 has nothing against. */
enum stored_type safetensors_set_type(const struct safetensors_set *set, const char *name);

/* safetensors_check_f32 and safetensors_read_f32 in the file that holds the tensor. */
mneme_status safetensors_set_check_f32(const struct safetensors_set *set, const char *name,
                                       size_t rank, const size_t *shape, mneme_error *error);
mneme_status safetensors_set_read_f32(const struct safetensors_set *set, const char *name,
                                      size_t rank, const size_t *shape, float *destination,
                                      mneme_error *error);

#endif
