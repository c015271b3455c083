#include "model/model.h"

#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
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
static mneme_status check_tensors(const struct model *model, const struct safetensors_set *set,
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

/* All parameters but those that have one of the roles. */
static mneme_status read_parameters(struct model *model, const struct safetensors_set *set,
                                    unsigned without, mneme_error *error) {
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if ((p->roles & without) != 0) continue;
        TRY(safetensors_set_read_f32(set, p->name, p->rank, p->shape, p->data, error));
    }
    return MNEME_OK;
}

mneme_status model_load(const char *directory, struct model *model, mneme_error *error) {
    *model = (struct model){0};
    struct model_config config;
    struct safetensors_set set;
    TRY(model_load_config(directory, &config, error));
    TRY(safetensors_set_open(&set, directory, error));
    mneme_status status = model_describe(&config, model, error);
    THEN(check_tensors(model, &set, error));
    THEN(model_allocate(model, error));
    THEN(read_parameters(model, &set, 0, error));
    if (status != MNEME_OK) model_close(model);
    safetensors_set_close(&set);
    return status;
}

/* The folder of a model without memory has all that such a config asks for, no more. */
static mneme_status check_base(const struct model_config *config, const struct safetensors_set *set,
                               mneme_error *error) {
    struct model described;
    TRY(model_describe(config, &described, error));
    mneme_status status = check_tensors(&described, set, error);
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

mneme_status model_load_with_memory(const char *directory, const struct memory_config *memory,
                                    struct model *model, mneme_error *error) {
    const struct path path = path_in(directory, "config.json");
    struct model_config config;
    *model = (struct model){0};
    TRY(model_load_config(directory, &config, error));
    if (config.memory.n_layers > 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: the model has a memory already", path.text);
    }
    config.memory = *memory;
    TRY(model_config_check(&config, CONFIG_OF_HF, path.text, error));
    TRY(model_open(&config, model, error));
    mneme_status status = model_read_base(directory, model, error);
    if (status != MNEME_OK) model_close(model);
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
