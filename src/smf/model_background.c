#include "smf/model_background.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"

#define ROUTING "mneme.routing"
#define KNN "knn"

size_t model_background_slots(const struct model *model) {
    return model->n_tables * model_n_slots(&model->config);
}

/* Whether the reads depend on a parameter. `top` is the highest memory layer. */
static bool decides_reads(const struct model *model, const struct parameter *parameter,
                          size_t top) {
    if (parameter == model->embedding) return true;
    if (parameter == model->norm || parameter == model->output) return false;
    return parameter->layer <= top && parameter->kind == PARAMETER_COMMON;
}

mneme_status model_background_routing(const struct model *model, struct digest *digest,
                                      mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    const size_t top = memory->layers[memory->n_layers - 1];
    struct parameter **list = calloc(model->n_parameters + 1, sizeof *list);
    if (list == NULL) return error_set_memory(error, "a digest");
    size_t n = 0;
    for (size_t i = 0; i < model->n_parameters; i++) {
        if (decides_reads(model, &model->parameters[i], top)) list[n++] = &model->parameters[i];
    }
    mneme_status status = parameter_digest_list(n, list, digest, error);
    free(list);
    return status;
}

static struct path path_of(const char *folder) {
    return path_in(folder, MODEL_BACKGROUND_FILE);
}

bool model_background_exists(const char *folder) {
    return file_exists(path_of(folder).text);
}

static void print_knn(const struct model *model, char *text, size_t size) {
    snprintf(text, size, "%zu", model->config.memory.knn);
}

mneme_status model_background_save(const struct background *background, const struct model *model,
                                   const char *folder, mneme_error *error) {
    const int32_t n_batches = (int32_t)background->n_batches;
    struct tensor tensors[BACKGROUND_TENSORS];
    struct digest routing;
    char knn[24];
    TRY(model_background_routing(model, &routing, error));
    print_knn(model, knn, sizeof knn);
    const struct safetensors_metadata metadata[] = {{ROUTING, routing.hex}, {KNN, knn}};
    background_list_tensors(background, &n_batches, tensors);
    return safetensors_write_sealed(path_of(folder).text, tensors, BACKGROUND_TENSORS, metadata, 2,
                                    error);
}

static mneme_status check_value(const struct safetensors *file, const char *key, const char *wanted,
                                const char *cause, mneme_error *error) {
    const char *found = safetensors_metadata_get(file, key);
    if (found == NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: has no metadata `%s`: is not the background of a model folder",
                         file->file.path, key);
    }
    if (strcmp(found, wanted) == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: does not fit the model: %s", file->file.path,
                     cause);
}

static mneme_status check_fits(const struct safetensors *file, const struct model *model,
                               mneme_error *error) {
    struct digest routing;
    char knn[24], cause[96];
    if (model->n_tables == 0) {
        return error_set(error, MNEME_BAD_INPUT, "%s: does not fit the model, which has no memory",
                         file->file.path);
    }
    print_knn(model, knn, sizeof knn);
    snprintf(cause, sizeof cause, "it was counted with another `knn` than the model's %s", knn);
    TRY(check_value(file, KNN, knn, cause, error));
    TRY(model_background_routing(model, &routing, error));
    return check_value(file, ROUTING, routing.hex,
                       "it was counted with other queries or keys, or another model below them",
                       error);
}

mneme_status model_background_load(struct background *background, const struct model *model,
                                   const char *folder, mneme_error *error) {
    struct safetensors file = {0};
    *background = (struct background){0};
    mneme_status status = safetensors_open(&file, path_of(folder).text, error);
    THEN(safetensors_check_seal(&file, error));
    THEN(check_fits(&file, model, error));
    THEN(background_read(background, &file, model_background_slots(model), error));
    safetensors_close(&file);
    return status;
}
