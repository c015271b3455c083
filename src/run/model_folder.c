#include "run/model_folder.h"

#include <string.h>

#include "base/file.h"
#include "run/folder.h"

bool model_folder_exists(const char *folder) {
    return file_exists(path_in(folder, FOLDER_MODEL).text);
}

mneme_status model_folder_save(const struct experiment *experiment, const char *folder,
                               mneme_error *error) {
    TRY(directory_make(folder, error));
    TRY(tokenizer_save(experiment->tokenizer, path_in(folder, FOLDER_TOKENIZER).text, error));
    return model_save(&experiment->model, folder, error);
}

mneme_status model_folder_load(struct experiment *experiment, const char *folder,
                               mneme_error *error) {
    struct model loaded, *model = &experiment->model;
    TRY(model_load(folder, &loaded, error));
    bool fits =
        loaded.arena.size == model->arena.size && loaded.n_parameters == model->n_parameters;
    if (fits) memcpy(model->arena.base, loaded.arena.base, model->arena.size);
    model_close(&loaded);
    if (fits) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: the model does not fit the recipe", folder);
}
