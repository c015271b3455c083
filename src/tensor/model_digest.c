#include "tensor/model_digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "tensor/safetensors.h"
#include "tensor/tensor_digest.h"

struct collector {
    mneme_digest *digest;
    size_t capacity;
};

/* "PREFIX:NAME", or the name alone when there is no prefix. */
static char *full_name(const char *prefix, const char *name) {
    if (prefix == NULL) return strdup(name);
    char *full;
    return asprintf(&full, "%s:%s", prefix, name) < 0 ? NULL : full;
}

static mneme_status collect_entry(struct collector *collector, const struct safetensors *file,
                                  const struct safetensors_entry *entry, const char *prefix,
                                  struct safetensors_seal *seal, mneme_error *error) {
    mneme_digest *all = collector->digest;
    struct digest digest = {""};
    TRY(memory_grow((void **)&all->tensors, &collector->capacity, all->n_tensors + 1,
                    sizeof *all->tensors, "a list of digests", error));
    TRY(safetensors_digest_entry(file, entry, &digest, error));
    TRY(safetensors_seal_add(seal, &entry->tensor, &digest, error));
    mneme_tensor_digest made = {.name = full_name(prefix, entry->tensor.name),
                                .type = tensor_type_name(entry->tensor.type),
                                .rank = entry->tensor.rank};
    if (made.name == NULL) return error_set_memory(error, "a list of digests");
    memcpy(made.shape, entry->tensor.shape, sizeof made.shape);
    memcpy(made.sha256, digest.hex, sizeof made.sha256);
    all->tensors[all->n_tensors++] = made;
    return MNEME_OK;
}

static mneme_status collect_file(struct collector *collector, const char *path, const char *prefix,
                                 mneme_error *error) {
    struct safetensors file = {0};
    struct safetensors_seal seal = {0};
    mneme_status status = safetensors_open(&file, path, error);
    THEN(safetensors_seal_open(&seal, json_object_get(file.header, "__metadata__"), error));
    for (size_t i = 0; i < file.n && status == MNEME_OK; i++) {
        status = collect_entry(collector, &file, &file.entries[i], prefix, &seal, error);
    }
    THEN(safetensors_seal_compare(&seal, &file, error));
    safetensors_seal_close(&seal);
    const char *mark = safetensors_metadata_get(&file, SAFETENSORS_NOT_CANONICAL);
    if (mark != NULL) {
        struct mneme_digest *digest = collector->digest;
        snprintf(digest->not_canonical, sizeof digest->not_canonical, "%s", mark);
    }
    safetensors_close(&file);
    return status;
}

static mneme_status collect_below(struct collector *collector, const char *folder,
                                  mneme_error *error) {
    struct path_list list;
    TRY(directory_list(folder, ".safetensors", &list, error));
    mneme_status status = MNEME_OK;
    if (list.n == 0) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: has no .safetensors file", folder);
    }
    for (size_t i = 0; i < list.n; i++) {
        const char *name = list.paths[i];
        THEN(collect_file(collector, path_in(folder, "%s", name).text, name, error));
    }
    path_list_free(&list);
    return status;
}

static mneme_status collect(struct collector *collector, const char *path, mneme_error *error) {
    if (!file_is_directory(path)) return collect_file(collector, path, NULL, error);
    struct path model = path_in(path, "model.safetensors");
    if (file_exists(model.text)) return collect_file(collector, model.text, NULL, error);
    return collect_below(collector, path, error);
}

static int compare_digests(const void *a, const void *b) {
    return strcmp(((const mneme_tensor_digest *)a)->name, ((const mneme_tensor_digest *)b)->name);
}

mneme_status model_digest_path(const char *path, mneme_digest *digest, mneme_error *error) {
    *digest = (mneme_digest){0};
    struct collector collector = {.digest = digest};
    mneme_status status = collect(&collector, path, error);
    if (status == MNEME_OK && digest->n_tensors > 1) {
        qsort(digest->tensors, digest->n_tensors, sizeof *digest->tensors, compare_digests);
    }
    THEN(tensor_digest_whole(digest, error));
    if (status != MNEME_OK) model_digest_free(digest);
    return status;
}

void model_digest_free(mneme_digest *digest) {
    for (size_t i = 0; i < digest->n_tensors; i++) free(digest->tensors[i].name);
    free(digest->tensors);
    *digest = (mneme_digest){0};
}
