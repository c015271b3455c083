#include "tensor/safetensors_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "base/path.h"

static mneme_status add_file(struct safetensors_set *set, const char *path, mneme_error *error) {
    mneme_status status = memory_grow((void **)&set->files, &set->capacity, set->n_files + 1,
                                      sizeof *set->files, "open files", error);
    THEN(safetensors_open(&set->files[set->n_files], path, error));
    if (status == MNEME_OK) set->n += set->files[set->n_files++].n;
    THEN(safetensors_check_seal(&set->files[set->n_files - 1], error));
    return status;
}

/* A name in the index's own folder. */
static bool is_plain_name(const char *name) {
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* The shard called `name`, opened at its first mention. */
static mneme_status find_shard(struct safetensors_set *set, const char *folder, const char *name,
                               const struct safetensors **shard, mneme_error *error) {
    struct path path = path_in(folder, "%s", name);
    size_t i = 0;
    while (i < set->n_files && strcmp(set->files[i].file.path, path.text) != 0) i++;
    if (i == SAFETENSORS_MAX_SHARDS) {
        return error_set(error, MNEME_BAD_INPUT, "%s: names more than %d files", set->place.text,
                         SAFETENSORS_MAX_SHARDS);
    }
    if (i == set->n_files) TRY(add_file(set, path.text, error));
    *shard = &set->files[i];
    return MNEME_OK;
}

static mneme_status add_mapped(struct safetensors_set *set, const char *folder, const char *tensor,
                               const json_t *file, mneme_error *error) {
    const char *name = json_string_value(file);
    if (name == NULL || !is_plain_name(name)) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: tensor `%s`: must be mapped to the name of a file beside",
                         set->place.text, tensor);
    }
    const struct safetensors *shard = NULL;
    TRY(find_shard(set, folder, name, &shard, error));
    if (safetensors_find(shard, tensor) != NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: tensor `%s`: is not in %s", set->place.text,
                     tensor, name);
}

static mneme_status open_shards(struct safetensors_set *set, const char *folder,
                                mneme_error *error) {
    json_t *index = NULL, *file;
    mneme_status status = json_read_file(set->place.text, SAFETENSORS_MAX_HEADER, &index, error);
    json_t *map = json_object_get(index, "weight_map");
    const char *tensor;
    if (status == MNEME_OK && !json_is_object(map)) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: key `weight_map`: must be an object",
                           set->place.text);
    }
    json_object_foreach(map, tensor, file) {
        if (status != MNEME_OK) break;
        status = add_mapped(set, folder, tensor, file, error);
    }
    if (status == MNEME_OK && set->n != json_object_size(map)) {
        status = error_set(error, MNEME_BAD_INPUT,
                           "%s: names %zu tensors, but the files have %zu between them",
                           set->place.text, json_object_size(map), set->n);
    }
    json_decref(index);
    return status;
}

mneme_status safetensors_set_open(struct safetensors_set *set, const char *folder,
                                  mneme_error *error) {
    struct path index = path_in(folder, "model.safetensors.index.json");
    *set = (struct safetensors_set){.place = path_in(folder, "model.safetensors")};
    bool is_sharded = !file_exists(set->place.text) && file_exists(index.text);
    if (is_sharded) set->place = index;
    mneme_status status =
        is_sharded ? open_shards(set, folder, error) : add_file(set, set->place.text, error);
    if (status != MNEME_OK) safetensors_set_close(set);
    return status;
}

void safetensors_set_close(struct safetensors_set *set) {
    for (size_t i = 0; i < set->n_files; i++) safetensors_close(&set->files[i]);
    free(set->files);
    *set = (struct safetensors_set){0};
}

const struct safetensors *safetensors_set_holder(const struct safetensors_set *set,
                                                 const char *name) {
    for (size_t i = 0; i < set->n_files; i++) {
        if (safetensors_find(&set->files[i], name) != NULL) return &set->files[i];
    }
    return NULL;
}

enum stored_type safetensors_set_type(const struct safetensors_set *set, const char *name) {
    enum stored_type type = STORED_F32;
    const struct safetensors *holder = safetensors_set_holder(set, name);
    if (holder != NULL) tensor_type_stored(safetensors_find(holder, name)->tensor.type, &type);
    return type;
}

static mneme_status find_holder(const struct safetensors_set *set, const char *name,
                                const struct safetensors **holder, mneme_error *error) {
    *holder = safetensors_set_holder(set, name);
    if (*holder != NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: no tensor `%s`", set->place.text, name);
}

mneme_status safetensors_set_check_f32(const struct safetensors_set *set, const char *name,
                                       size_t rank, const size_t *shape, mneme_error *error) {
    const struct safetensors *holder;
    TRY(find_holder(set, name, &holder, error));
    return safetensors_check_f32(holder, name, rank, shape, error);
}

mneme_status safetensors_set_read_f32(const struct safetensors_set *set, const char *name,
                                      size_t rank, const size_t *shape, float *destination,
                                      mneme_error *error) {
    const struct safetensors *holder;
    TRY(find_holder(set, name, &holder, error));
    return safetensors_read_f32(holder, name, rank, shape, destination, error);
}
