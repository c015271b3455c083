#include "run/model_folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"

bool model_folder_exists(const char *folder) {
    char *path = path_join(folder, "model.safetensors");
    bool exists = path != NULL && file_exists(path);
    free(path);
    return exists;
}

mneme_status model_folder_save(const struct experiment *experiment, const char *folder,
                               mneme_error *error) {
    mneme_status status = directory_make(folder, error);
    if (status != MNEME_OK) return status;
    char *path = path_join(folder, "tokenizer.json");
    if (path == NULL) return error_set_memory(error, "a path");
    status = tokenizer_save(experiment->tokenizer, path, error);
    free(path);
    return status == MNEME_OK ? model_save(&experiment->model, folder, error) : status;
}

mneme_status model_folder_load(struct experiment *experiment, const char *folder,
                               mneme_error *error) {
    struct model loaded;
    mneme_status status = model_load(folder, &loaded, error);
    if (status != MNEME_OK) return status;
    struct model *model = &experiment->model;
    if (loaded.arena.size != model->arena.size || loaded.n_parameters != model->n_parameters) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: the model does not fit the recipe", folder);
    } else {
        memcpy(model->arena.base, loaded.arena.base, model->arena.size);
    }
    model_close(&loaded);
    return status;
}
