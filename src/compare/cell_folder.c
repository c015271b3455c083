#include "compare/cell_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "folder/stage.h"
#include "method/method.h"
#include "recipe/recipe_load.h"

#define ID_LENGTH 12

static mneme_status make_id(const json_t *settings, char id[ID_LENGTH + 1], mneme_error *error) {
    char *text = json_print(settings, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    struct digest digest;
    if (text == NULL) return error_set_memory(error, "the plan");
    mneme_status status = digest_of_bytes(text, strlen(text), &digest, error);
    free(text);
    if (status == MNEME_OK) snprintf(id, ID_LENGTH + 1, "%.*s", ID_LENGTH, digest.hex);
    return status;
}

mneme_status cell_folder_of_sweep(const char *directory, const char *method, const json_t *settings,
                                  struct path *folder, mneme_error *error) {
    char id[ID_LENGTH + 1];
    TRY(make_id(settings, id, error));
    *folder = path_in(directory, FOLDER_CELLS "/%s-%s", method, id);
    return MNEME_OK;
}

/* What the folder's cell.json says; NULL if there is none. */
static mneme_status read_settings(const char *directory, const char *folder, json_t **found,
                                  mneme_error *error) {
    struct path path = path_in(folder, FOLDER_CELL);
    *found = NULL;
    if (!file_exists(path.text)) return MNEME_OK;
    if (manifest_holds(directory, path.text)) TRY(manifest_check(directory, path.text, error));
    return json_read_file(path.text, JSON_MAX_BYTES, found, error);
}

static mneme_status write_settings(const char *directory, const char *folder,
                                   const json_t *settings, mneme_error *error) {
    struct path path = path_in(folder, FOLDER_CELL);
    const char *const paths[] = {path.text};
    TRY(directory_make(folder, error));
    TRY(json_write_file(path.text, settings, error));
    return manifest_sign(directory, paths, 1, error);
}

mneme_status cell_folder_sign(const char *directory, const char *folder, const json_t *settings,
                              mneme_error *error) {
    json_t *found;
    TRY(read_settings(directory, folder, &found, error));
    if (found == NULL) return write_settings(directory, folder, settings, error);
    bool same = json_equal(found, settings);
    json_decref(found);
    if (same) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s/" FOLDER_CELL ": holds other settings than it should", folder);
}

/* Moves a folder to or from where it waits for its settings, with its digests. */
static mneme_status move(const char *directory, const char *from, const char *to,
                         mneme_error *error) {
    const bool finished = manifest_holds(directory, path_in(from, FOLDER_SCORES).text);
    TRY(manifest_check(directory, from, error));
    TRY(manifest_forget(directory, &from, 1, error));
    if (rename(from, to) != 0) return error_set_errno(error, from, "cannot move aside");
    return finished ? manifest_sign(directory, &to, 1, error) : MNEME_OK;
}

static mneme_status move_aside(const char *directory, const char *folder, const json_t *found,
                               mneme_error *error) {
    char id[ID_LENGTH + 1];
    TRY(make_id(found, id, error));
    return move(directory, folder, path_in("", "%s-%s", folder, id).text, error);
}

static mneme_status bring_back(const char *directory, const char *folder, const json_t *settings,
                               mneme_error *error) {
    char id[ID_LENGTH + 1];
    TRY(make_id(settings, id, error));
    struct path aside = path_in("", "%s-%s", folder, id);
    return file_exists(aside.text) ? move(directory, aside.text, folder, error) : MNEME_OK;
}

mneme_status cell_folder_take(const char *directory, const char *folder, const json_t *settings,
                              mneme_error *error) {
    json_t *found;
    TRY(read_settings(directory, folder, &found, error));
    mneme_status status = MNEME_OK;
    if (found != NULL && !json_equal(found, settings)) {
        status = move_aside(directory, folder, found, error);
    }
    json_decref(found);
    if (!file_exists(folder)) THEN(bring_back(directory, folder, settings, error));
    THEN(cell_folder_sign(directory, folder, settings, error));
    return status;
}

/* The folder of a stage that was run before folders of stages had a cell.json. */
static mneme_status sign_stage(const struct recipe *recipe, const char *directory,
                               const struct stage *stage, mneme_error *error) {
    struct path folder = stage_folder(directory, stage);
    struct recipe one = *recipe;
    if (stage->method == NULL || !file_exists(folder.text)) return MNEME_OK;
    if (file_exists(path_in(folder.text, FOLDER_CELL).text)) return MNEME_OK;
    method_choose(stage->method, stage->lr, &one.finetune);
    json_t *settings = identity_of_cell(&one);
    mneme_status status = settings == NULL
                              ? error_set_memory(error, "the plan")
                              : write_settings(directory, folder.text, settings, error);
    json_decref(settings);
    return status;
}

static mneme_status sign_stages(const struct recipe *recipe, const char *directory,
                                mneme_error *error) {
    size_t n;
    struct stage *stages = stage_list(recipe, &n);
    mneme_status status = stages == NULL ? error_set_memory(error, "the stages") : MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < n; i++) {
        status = sign_stage(recipe, directory, &stages[i], error);
    }
    free(stages);
    return status;
}

static mneme_status replace_recipe(const struct experiment *e, mneme_error *error) {
    struct path recipe = path_in(e->directory, IDENTITY_RECIPE);
    const char *const paths[] = {recipe.text};
    TRY(manifest_forget(e->directory, paths, 1, error));
    TRY(identity_replace(&e->recipe, e->directory, error));
    return manifest_sign(e->directory, paths, 1, error);
}

PATH_OUT_OF_LINE mneme_status cell_folders_adopt(const struct experiment *e, mneme_error *error) {
    struct recipe old;
    bool same;
    TRY(identity_is_same(&e->recipe, e->directory, &same, error));
    if (same) return MNEME_OK;
    TRY(identity_recipe(e->directory, NULL, 0, &old, error));
    mneme_status status = sign_stages(&old, e->directory, error);
    recipe_free(&old);
    THEN(replace_recipe(e, error));
    return status;
}
