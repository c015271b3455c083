#include "run/model_folder.h"

#include "base/file.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "smf/model_background.h"

bool model_folder_exists(const struct experiment *experiment, const char *folder) {
    return manifest_holds(experiment->directory, path_in(folder, FOLDER_MODEL).text);
}

mneme_status model_folder_save(const struct experiment *experiment, const char *folder,
                               mneme_error *error) {
    TRY(directory_make(folder, error));
    TRY(tokenizer_save(experiment->tokenizer, path_in(folder, FOLDER_TOKENIZER).text, error));
    return model_save(&experiment->model, folder, error);
}

mneme_status model_folder_hand_background(const struct experiment *e, const char *folder,
                                          mneme_error *error) {
    struct background background;
    if (!model_background_exists(e->base_folder)) return MNEME_OK;
    if (model_background_load(&background, &e->model, e->base_folder, NULL) != MNEME_OK) {
        return MNEME_OK;
    }
    mneme_status status = model_background_save(&background, &e->model, folder, error);
    background_close(&background);
    return status;
}

PATH_OUT_OF_LINE mneme_status model_folder_load(struct experiment *experiment, const char *folder,
                                                mneme_error *error) {
    struct path weights = path_in(folder, FOLDER_MODEL), config = path_in(folder, "config.json");
    struct model_config found;
    if (file_exists(weights.text)) {
        TRY(manifest_check(experiment->directory, weights.text, error));
        TRY(manifest_check(experiment->directory, config.text, error));
    }
    TRY(model_load_config(folder, &found, error)); /* it can be read */
    return model_read(folder, &experiment->model, error);
}
