#include "tensor/safetensors_map.h"

#include <stdlib.h>

mneme_status safetensors_map_open(struct safetensors_map *map, const struct safetensors_set *set,
                                  mneme_error *error) {
    *map = (struct safetensors_map){.files = calloc(set->n_files, sizeof *map->files)};
    if (map->files == NULL) return error_set_memory(error, set->place.text);
    for (size_t i = 0; i < set->n_files; i++) {
        const mneme_status status =
            mapped_file_open(&map->files[i], set->files[i].file.path, error);
        if (status != MNEME_OK) {
            safetensors_map_close(map);
            return status;
        }
        map->n++;
    }
    return MNEME_OK;
}

void safetensors_map_close(struct safetensors_map *map) {
    for (size_t i = 0; i < map->n; i++) mapped_file_close(&map->files[i]);
    free(map->files);
    *map = (struct safetensors_map){0};
}

/* The mapped bytes of an entry; NULL when the file has become shorter since it was opened. */
static const char *bytes_of(const struct safetensors_map *map, const struct safetensors_set *set,
                            const struct safetensors *holder,
                            const struct safetensors_entry *entry) {
    const struct mapped_file *file = &map->files[holder - set->files];
    if (file->length != holder->file.size) return NULL;
    return file->bytes + entry->offset;
}

mneme_status safetensors_map_stored(const struct safetensors_map *map,
                                    const struct safetensors_set *set, const char *name,
                                    size_t rank, const size_t *shape, struct stored *stored,
                                    mneme_error *error) {
    *stored = (struct stored){0};
    TRY(safetensors_set_check_f32(set, name, rank, shape, error));
    const struct safetensors *holder = safetensors_set_holder(set, name);
    const struct safetensors_entry *entry = safetensors_find(holder, name);
    struct stored found = {.data = bytes_of(map, set, holder, entry)};
    (void)tensor_type_stored(entry->tensor.type, &found.type); /* it is one: it was checked */
    if (found.data == NULL || (uintptr_t)found.data % stored_size(found.type) != 0) return MNEME_OK;
    TRY(safetensors_check_finite(holder, &entry->tensor, found, error));
    mapped_file_forget(found.data, entry->bytes);
    *stored = found;
    return MNEME_OK;
}
