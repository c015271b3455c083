#ifndef TENSOR_SAFETENSORS_MAP_H
#define TENSOR_SAFETENSORS_MAP_H

#include "tensor/mapped_file.h"
#include "tensor/safetensors_set.h"

/* The files of a set as memory, which takes none of the machine's as long as nobody looks, and can
 * be given back at any time. It outlives the set. */
struct safetensors_map {
    struct mapped_file *files; /* [n] in the set's order */
    size_t n;
};

mneme_status safetensors_map_open(struct safetensors_map *map, const struct safetensors_set *set,
                                  mneme_error *error);
/* Does nothing to {0}. */
void safetensors_map_close(struct safetensors_map *map);

/* A tensor's numbers as they lie in its file, read-only [shape], whatever their type; data is NULL
 * where they must be read instead (safetensors_set_read_f32), since they do not lie where such
 * numbers can. Refuses what reading would. */
mneme_status safetensors_map_stored(const struct safetensors_map *map,
                                    const struct safetensors_set *set, const char *name,
                                    size_t rank, const size_t *shape, struct stored *stored,
                                    mneme_error *error);

#endif
