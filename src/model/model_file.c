#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "model/model.h"
#include "model/parameter_tensor.h"
#include "nn/matmul_backend.h"
#include "tensor/safetensors.h"
#include "tensor/safetensors_set.h"

/* A config.json larger than this is surely not one. */
#define MAX_CONFIG_BYTES ((size_t)1 << 20)

static mneme_status save_config(const struct model *model, const char *directory,
                                mneme_error *error) {
    char *path = path_join(directory, "config.json");
    json_t *object = model_config_to_json(&model->config);
    mneme_status status = path == NULL || object == NULL ? error_set_memory(error, "config.json")
                                                         : json_write_file(path, object, error);
    json_decref(object);
    free(path);
    return status;
}

mneme_status model_save(const struct model *model, const char *directory, mneme_error *error) {
    mneme_status status = directory_make(directory, error);
    if (status == MNEME_OK) status = save_config(model, directory, error);
    if (status != MNEME_OK) return status;
    char *path = path_join(directory, "model.safetensors");
    struct tensor *tensors = calloc(model->n_parameters, sizeof *tensors);
    if (path == NULL || tensors == NULL) {
        status = error_set_memory(error, "model.safetensors");
    } else {
        for (size_t i = 0; i < model->n_parameters; i++) {
            tensors[i] = parameter_tensor(&model->parameters[i], model->parameters[i].data);
        }
        const char *mark = matmul_backend_mark();
        const struct safetensors_metadata metadata[] = {{"format", "pt"},
                                                        {SAFETENSORS_NOT_CANONICAL, mark}};
        status = safetensors_write(path, tensors, model->n_parameters, metadata,
                                   mark == NULL ? 1 : 2, error);
    }
    free(tensors);
    free(path);
    return status;
}

static mneme_status load_config(const char *directory, struct model_config *config,
                                mneme_error *error) {
    char *path = path_join(directory, "config.json");
    if (path == NULL) return error_set_memory(error, "config.json");
    json_t *object = NULL;
    mneme_status status = json_read_file(path, MAX_CONFIG_BYTES, &object, error);
    if (status == MNEME_OK) status = model_config_from_json(object, path, config, error);
    json_decref(object);
    free(path);
    return status;
}

/* The described model's parameters are the folder's tensors, no more and no fewer. */
static mneme_status check_tensors(const struct model *model, const struct safetensors_set *set,
                                  mneme_error *error) {
    if (set->n != model->n_parameters) {
        return error_set(error, MNEME_BAD_INPUT, "%s: %zu tensors, the config asks for %zu",
                         set->place.text, set->n, model->n_parameters);
    }
    mneme_status status = MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        status = safetensors_set_check_f32(set, p->name, p->rank, p->shape, error);
    }
    return status;
}

mneme_status model_load(const char *directory, struct model *model, mneme_error *error) {
    *model = (struct model){0};
    struct model_config config;
    struct safetensors_set set;
    mneme_status status = load_config(directory, &config, error);
    if (status == MNEME_OK) status = safetensors_set_open(&set, directory, error);
    if (status != MNEME_OK) return status;
    status = model_describe(&config, model, error);
    if (status == MNEME_OK) status = check_tensors(model, &set, error);
    if (status == MNEME_OK) status = model_allocate(model, error);
    for (size_t i = 0; status == MNEME_OK && i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        status = safetensors_set_read_f32(&set, p->name, p->rank, p->shape, p->data, error);
    }
    if (status != MNEME_OK) model_close(model);
    safetensors_set_close(&set);
    return status;
}
