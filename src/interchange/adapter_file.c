#include "interchange/adapter_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/path.h"
#include "tensor/safetensors.h"
#include "tensor/tensor_digest.h"

#define FILE_NAME "adapter.safetensors"

/* A and B of all; the caller frees the list. NULL without memory. */
static struct parameter **list(const struct adapter_set *set) {
    struct parameter **parameters = calloc(2 * set->n_adapters + 1, sizeof(struct parameter *));
    for (size_t i = 0; parameters != NULL && i < set->n_adapters; i++) {
        parameters[2 * i] = &set->adapters[i].a;
        parameters[2 * i + 1] = &set->adapters[i].b;
    }
    return parameters;
}

static mneme_status digest_set(const struct adapter_set *set, struct digest *digest,
                               mneme_error *error) {
    struct parameter **parameters = list(set);
    if (parameters == NULL) return error_set_memory(error, "the adapters");
    mneme_status status = parameter_digest_list(2 * set->n_adapters, parameters, digest, error);
    free(parameters);
    return status;
}

mneme_status adapter_file_save(const struct adapter_set *set, const char *folder,
                               mneme_error *error) {
    struct digest digest;
    char alpha[32];
    TRY(digest_set(set, &digest, error));
    const struct adapter *first = &set->adapters[0];
    snprintf(alpha, sizeof alpha, "%a", (double)(first->scale * (float)first->a.shape[0]));
    const struct safetensors_metadata metadata[] = {{"alpha", alpha}, {"digest", digest.hex}};
    struct tensor *tensors = calloc(2 * set->n_adapters, sizeof *tensors);
    if (tensors == NULL) return error_set_memory(error, FILE_NAME);
    for (size_t i = 0; i < set->n_adapters; i++) {
        const struct adapter *adapter = &set->adapters[i];
        tensors[2 * i] = parameter_tensor(&adapter->a, adapter->a.data);
        tensors[2 * i + 1] = parameter_tensor(&adapter->b, adapter->b.data);
    }
    mneme_status status = safetensors_write(path_in(folder, FILE_NAME).text, tensors,
                                            2 * set->n_adapters, metadata, 2, error);
    free(tensors);
    return status;
}

/* The entry of a weight's lora_A, or NULL. */
static const struct safetensors_entry *find_a(const struct safetensors *file,
                                              const struct parameter *weight) {
    char name[PARAMETER_NAME_SIZE + 8];
    size_t stem = strlen(weight->name);
    if (stem < strlen(".weight") || (weight->roles & ROLE_LINEAR) == 0) return NULL;
    snprintf(name, sizeof name, "%.*s.lora_A", (int)(stem - strlen(".weight")), weight->name);
    return safetensors_find(file, name);
}

/* Which layers have adapters, and of which rank; false where none has. */
static bool find_layers(const struct safetensors *file, const struct model *model, size_t *first,
                        size_t *last, size_t *rank) {
    bool found = false;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct safetensors_entry *entry = find_a(file, &model->parameters[i]);
        if (entry == NULL || entry->tensor.rank != 2) continue;
        if (!found) *first = model->parameters[i].layer;
        *last = model->parameters[i].layer;
        *rank = entry->tensor.shape[0];
        found = true;
    }
    return found && *rank > 0 && *rank <= 65536;
}

static mneme_status read_set(const struct safetensors *file, struct adapter_set *set,
                             mneme_error *error) {
    struct digest digest;
    for (size_t i = 0; i < set->n_adapters; i++) {
        struct adapter *adapter = &set->adapters[i];
        TRY(safetensors_read_f32(file, adapter->a.name, 2, adapter->a.shape, adapter->a.data,
                                 error));
        TRY(safetensors_read_f32(file, adapter->b.name, 2, adapter->b.shape, adapter->b.data,
                                 error));
    }
    TRY(digest_set(set, &digest, error));
    const char *written = safetensors_metadata_get(file, "digest");
    if (written != NULL && strcmp(written, digest.hex) == 0 && file->n == 2 * set->n_adapters) {
        return MNEME_OK;
    }
    return error_set(error, MNEME_BAD_INPUT, "%s: is not what was written: its digest is another",
                     file->file.path);
}

static mneme_status open_set(const struct safetensors *file, struct model *model,
                             struct adapter_set *set, mneme_error *error) {
    size_t first = 0, last = 0, rank = 0;
    const char *text = safetensors_metadata_get(file, "alpha");
    char *end = NULL;
    float alpha = text == NULL ? 0.0f : strtof(text, &end);
    if (!find_layers(file, model, &first, &last, &rank) || end == NULL || *end != '\0') {
        return error_set(error, MNEME_BAD_INPUT, "%s: no adapters of this model", file->file.path);
    }
    TRY(adapter_set_open(set, model, rank, alpha, first, last, 1, 0, error));
    mneme_status status = read_set(file, set, error);
    if (status != MNEME_OK) adapter_set_close(set);
    return status;
}

mneme_status adapter_file_load(const char *folder, struct model *model, struct adapter_set *set,
                               mneme_error *error) {
    struct path path = path_in(folder, FILE_NAME);
    struct safetensors file = {0};
    if (!file_exists(path.text)) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: missing: a LoRA finetuning keeps its adapter with "
                         "finetune.lora.keep_adapter",
                         path.text);
    }
    mneme_status status = safetensors_open(&file, path.text, error);
    THEN(open_set(&file, model, set, error));
    safetensors_close(&file);
    return status;
}
