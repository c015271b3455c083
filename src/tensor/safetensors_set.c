#include "tensor/safetensors_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "base/path.h"

static mneme_status add_file(struct safetensors_set *set, const char *path, mneme_error *error) {
    mneme_status status = memory_grow((void **)&set->files, &set->capacity, set->n_files + 1,
                                      sizeof *set->files, "open files", error);
    if (status == MNEME_OK) status = safetensors_open(&set->files[set->n_files], path, error);
    if (status == MNEME_OK) set->n += set->files[set->n_files++].n;
    return status;
}

/* A name in the index's own folder. */
static bool is_plain_name(const char *name) {
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* The shard called `name`, opened at its first mention. */
static mneme_status find_shard(struct safetensors_set *set, const char *folder, const char *name,
                               const struct safetensors **shard, mneme_error *error) {
    char *path = path_join(folder, name);
    if (path == NULL) return error_set_memory(error, name);
    mneme_status status = MNEME_OK;
    size_t i = 0;
    while (i < set->n_files && strcmp(set->files[i].file.path, path) != 0) i++;
    if (i == SAFETENSORS_MAX_SHARDS) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: names more than %d files", set->place,
                           SAFETENSORS_MAX_SHARDS);
    } else if (i == set->n_files) {
        status = add_file(set, path, error);
    }
    free(path);
    if (status == MNEME_OK) *shard = &set->files[i];
    return status;
}

static mneme_status add_mapped(struct safetensors_set *set, const char *folder, const char *tensor,
                               const json_t *file, mneme_error *error) {
    const char *name = json_string_value(file);
    if (name == NULL || !is_plain_name(name)) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: tensor `%s`: must be mapped to the name of a file beside", set->place,
                         tensor);
    }
    const struct safetensors *shard = NULL;
    mneme_status status = find_shard(set, folder, name, &shard, error);
    if (status != MNEME_OK || safetensors_find(shard, tensor) != NULL) return status;
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: is not in %s", set->place, tensor,
                     name);
}

static mneme_status open_shards(struct safetensors_set *set, const char *folder,
                                mneme_error *error) {
    json_t *index = NULL, *file;
    mneme_status status = json_read_file(set->place, SAFETENSORS_MAX_HEADER, &index, error);
    json_t *map = json_object_get(index, "weight_map");
    const char *tensor;
    if (status == MNEME_OK && !json_is_object(map)) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: key `weight_map`: must be an object",
                           set->place);
    }
    json_object_foreach(map, tensor, file) {
        if (status != MNEME_OK) break;
        status = add_mapped(set, folder, tensor, file, error);
    }
    if (status == MNEME_OK && set->n != json_object_size(map)) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s: names %zu tensors, but the files have %zu between them", set->place,
                           json_object_size(map), set->n);
    }
    json_decref(index);
    return status;
}

mneme_status safetensors_set_open(struct safetensors_set *set, const char *folder,
                                  mneme_error *error) {
    *set = (struct safetensors_set){0};
    char *single = path_join(folder, "model.safetensors");
    char *index = path_join(folder, "model.safetensors.index.json");
    mneme_status status = MNEME_OK;
    if (single == NULL || index == NULL) {
        status = error_set_memory(error, folder);
    } else if (file_exists(single) || !file_exists(index)) {
        set->place = single;
        single = NULL;
        status = add_file(set, set->place, error);
    } else {
        set->place = index;
        index = NULL;
        status = open_shards(set, folder, error);
    }
    free(single);
    free(index);
    if (status != MNEME_OK) safetensors_set_close(set);
    return status;
}

void safetensors_set_close(struct safetensors_set *set) {
    for (size_t i = 0; i < set->n_files; i++) safetensors_close(&set->files[i]);
    free(set->files);
    free(set->place);
    *set = (struct safetensors_set){0};
}

const struct safetensors *safetensors_set_holder(const struct safetensors_set *set,
                                                 const char *name) {
    for (size_t i = 0; i < set->n_files; i++) {
        if (safetensors_find(&set->files[i], name) != NULL) return &set->files[i];
    }
    return NULL;
}

static mneme_status find_holder(const struct safetensors_set *set, const char *name,
                                const struct safetensors **holder, mneme_error *error) {
    *holder = safetensors_set_holder(set, name);
    if (*holder != NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: no tensor `%s`", set->place, name);
}

mneme_status safetensors_set_check_f32(const struct safetensors_set *set, const char *name,
                                       size_t rank, const size_t *shape, mneme_error *error) {
    const struct safetensors *holder;
    mneme_status status = find_holder(set, name, &holder, error);
    return status == MNEME_OK ? safetensors_check_f32(holder, name, rank, shape, error) : status;
}

mneme_status safetensors_set_read_f32(const struct safetensors_set *set, const char *name,
                                      size_t rank, const size_t *shape, float *destination,
                                      mneme_error *error) {
    const struct safetensors *holder;
    mneme_status status = find_holder(set, name, &holder, error);
    if (status != MNEME_OK) return status;
    return safetensors_read_f32(holder, name, rank, shape, destination, error);
}
