#include "model/model.h"

#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/rehearsal.h"
#include "nn/matmul_backend.h"
#include "tensor/safetensors.h"
#include "tensor/safetensors_set.h"
#include "tensor/tensor_digest.h"

static mneme_status save_config(const struct model *model, const char *directory,
                                mneme_error *error) {
    json_t *object = model_config_to_json(&model->config);
    mneme_status status =
        object == NULL ? error_set_memory(error, "config.json")
                       : json_write_file(path_in(directory, "config.json").text, object, error);
    json_decref(object);
    return status;
}

mneme_status model_save(const struct model *model, const char *directory, mneme_error *error) {
    TRY(directory_make(directory, error));
    TRY(save_config(model, directory, error));
    struct tensor *tensors = calloc(model->n_parameters, sizeof *tensors);
    if (tensors == NULL) return error_set_memory(error, "model.safetensors");
    for (size_t i = 0; i < model->n_parameters; i++) {
        tensors[i] = parameter_tensor(&model->parameters[i], model->parameters[i].data);
    }
    const char *mark = matmul_backend_mark();
    const struct safetensors_metadata metadata[] = {{"format", "pt"},
                                                    {SAFETENSORS_NOT_CANONICAL, mark}};
    mneme_status status =
        safetensors_write_sealed(path_in(directory, "model.safetensors").text, tensors,
                                 model->n_parameters, metadata, mark == NULL ? 1 : 2, error);
    free(tensors);
    return status;
}

mneme_status model_load_config(const char *directory, struct model_config *config,
                               mneme_error *error) {
    const struct path path = path_in(directory, "config.json");
    json_t *object = NULL;
    mneme_status status = json_read_file(path.text, JSON_MAX_BYTES, &object, error);
    THEN(model_config_from_json(object, path.text, config, error));
    json_decref(object);
    return status;
}

/* The described model's parameters are the folder's tensors, no more and no fewer. */
mneme_status model_check_tensors(const struct model *model, const struct safetensors_set *set,
                                 mneme_error *error) {
    if (set->n != model->n_parameters) {
        return error_set(error, MNEME_BAD_INPUT, "%s: %zu tensors, the config asks for %zu",
                         set->place.text, set->n, model->n_parameters);
    }
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        TRY(safetensors_set_check_f32(set, p->name, p->rank, p->shape, error));
    }
    return MNEME_OK;
}

/* All parameters but those that have one of the roles, and those that lie in the files. */
static mneme_status read_parameters(struct model *model, const struct safetensors_set *set,
                                    unsigned without, mneme_error *error) {
    if (rehearsal_is_on()) return MNEME_OK;
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if ((p->roles & without) != 0 || p->in_file) continue;
        TRY(safetensors_set_read_f32(set, p->name, p->rank, p->shape, p->data, error));
    }
    return MNEME_OK;
}

/* Elements below which a parameter is not worth the pages that it would share with others. */
#define LEAST_MAPPED ((size_t)1 << 14)

/* Leaves parameters of a described model in the files: those that can be and that are large, but
 * value tables, and none that has one of the roles. */
static mneme_status map_parameters(struct model *model, const struct safetensors_set *set,
                                   unsigned without, mneme_error *error) {
    TRY(safetensors_map_open(&model->files, set, error));
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        const float *data = NULL;
        if ((p->roles & without) != 0 || p->kind != PARAMETER_COMMON) continue;
        if (p->count < LEAST_MAPPED) continue;
        TRY(safetensors_map_f32(&model->files, set, p->name, p->rank, p->shape, &data, error));
        p->in_file = data != NULL;
        if (p->in_file) rehearsal_add(WEIGHTS_IN_FILE, p->count * sizeof *p->data);
        p->data = (float *)(uintptr_t)data;
    }
    return MNEME_OK;
}

static mneme_status load(const char *directory, bool mapped, struct model *model,
                         mneme_error *error) {
    *model = (struct model){0};
    struct model_config config;
    struct safetensors_set set;
    TRY(model_load_config(directory, &config, error));
    TRY(safetensors_set_open(&set, directory, error));
    mneme_status status = model_describe(&config, model, error);
    THEN(model_check_tensors(model, &set, error));
    if (mapped) THEN(map_parameters(model, &set, 0, error));
    THEN(model_allocate(model, error));
    THEN(read_parameters(model, &set, 0, error));
    if (status != MNEME_OK) model_close(model);
    safetensors_set_close(&set);
    return status;
}

mneme_status model_load(const char *directory, struct model *model, mneme_error *error) {
    return load(directory, false, model, error);
}

mneme_status model_map(const char *directory, struct model *model, mneme_error *error) {
    return load(directory, true, model, error);
}

void parameter_forget(const struct parameter *parameter) {
    const struct stored stored = parameter_stored(parameter);
    if (!parameter->in_file) return;
    mapped_file_forget(stored.data, parameter->count * stored_size(stored.type));
}

void model_forget_files(const struct model *model) {
    for (size_t i = 0; i < model->n_parameters; i++) parameter_forget(&model->parameters[i]);
}

/* The folder of a model without memory has all that such a config asks for, no more. */
static mneme_status check_base(const struct model_config *config, const struct safetensors_set *set,
                               mneme_error *error) {
    struct model described;
    TRY(model_describe(config, &described, error));
    mneme_status status = model_check_tensors(&described, set, error);
    model_close(&described);
    return status;
}

mneme_status model_read_base(const char *directory, struct model *model, mneme_error *error) {
    struct model_config config;
    struct safetensors_set set;
    TRY(model_load_config(directory, &config, error));
    TRY(safetensors_set_open(&set, directory, error));
    const unsigned without = config.memory.n_layers > 0 ? 0 : ROLE_MEMORY;
    mneme_status status = check_base(&config, &set, error);
    THEN(read_parameters(model, &set, without, error));
    safetensors_set_close(&set);
    return status;
}

mneme_status model_read(const char *directory, struct model *model, mneme_error *error) {
    struct safetensors_set set;
    TRY(safetensors_set_open(&set, directory, error));
    mneme_status status = model_check_tensors(model, &set, error);
    THEN(read_parameters(model, &set, 0, error));
    safetensors_set_close(&set);
    return status;
}

mneme_status model_load_with_memory(const char *directory, const struct memory_config *memory,
                                    struct model *model, mneme_error *error) {
    const struct path path = path_in(directory, "config.json");
    struct model_config config;
    *model = (struct model){0};
    TRY(model_load_config(directory, &config, error));
    if (config.memory.n_layers > 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: the model has a memory already", path.text);
    }
    struct model_config extended = config;
    extended.memory = *memory;
    TRY(model_config_check(&extended, CONFIG_OF_HF, path.text, error));
    struct safetensors_set set;
    TRY(safetensors_set_open(&set, directory, error));
    mneme_status status = check_base(&config, &set, error);
    THEN(model_describe(&extended, model, error));
    THEN(map_parameters(model, &set, ROLE_MEMORY, error));
    THEN(model_allocate(model, error));
    THEN(read_parameters(model, &set, ROLE_MEMORY, error));
    if (status != MNEME_OK) model_close(model);
    safetensors_set_close(&set);
    return status;
}

mneme_status parameter_digest_list(size_t n, struct parameter *const *parameters,
                                   struct digest *digest, mneme_error *error) {
    struct tensor *tensors = calloc(n + 1, sizeof *tensors);
    if (tensors == NULL) return error_set_memory(error, "a digest");
    for (size_t i = 0; i < n; i++) {
        tensors[i] = parameter_tensor(parameters[i], parameters[i]->data);
    }
    mneme_status status = tensor_digest_list(tensors, n, digest, NULL, error);
    free(tensors);
    return status;
}

mneme_status parameter_digest_model(const struct model *model, struct digest *digest,
                                    mneme_error *error) {
    struct parameter **list = calloc(model->n_parameters + 1, sizeof *list);
    if (list == NULL) return error_set_memory(error, "a digest");
    for (size_t i = 0; i < model->n_parameters; i++) list[i] = &model->parameters[i];
    mneme_status status = parameter_digest_list(model->n_parameters, list, digest, error);
    free(list);
    return status;
}
