/* The cells of a sweep, which keep their settings and no model; and finetunings of a run that are
 * of another recipe than the folder now. */

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_path.h"
#include "base/json_read.h"
#include "folder/folder.h"
#include "recipe/identity.h"
#include "recipe/recipe_load.h"
#include "verify/verifying.h"

static const char suffix[] = "/" FOLDER_CELL;

/* Puts every key that a cell has into the recipe. */
static mneme_status put_settings(const json_t *cell, json_t *recipe, mneme_error *error) {
    json_object_del(recipe, "finetune");
    if (json_object_update(recipe, (json_t *)(uintptr_t)cell) == 0) return MNEME_OK;
    return error_set_memory(error, "a cell");
}

/* The finetuning section of the cell whose cell.json this is. */
static mneme_status read_settings(const struct verifying *v, const char *path,
                                  struct recipe_finetune *settings, mneme_error *error) {
    json_t *cell, *object = NULL;
    struct recipe recipe = {0};
    TRY(json_read_file(path, JSON_MAX_BYTES, &cell, error));
    mneme_status status = identity_read(v->directory.text, v->options->overrides,
                                        v->options->n_overrides, &object, error);
    THEN(put_settings(cell, object, error));
    THEN(recipe_from_json(object, path, &recipe, error));
    if (status == MNEME_OK) *settings = recipe.finetune;
    recipe_free(&recipe);
    json_decref(object);
    json_decref(cell);
    return status;
}

/* The one method that is enabled. */
static struct stage stage_of(const struct recipe_finetune *settings) {
    for (size_t m = 0; m < N_METHODS; m++) {
        const struct recipe_rates *rates = method_rates(methods[m], settings);
        if (rates->enabled && rates->n_lr > 0) return stage_finetuning(methods[m], rates->lr[0]);
    }
    return (struct stage){0};
}

/* `name` is "cells/smf-ID". */
static mneme_status repeat_cell(struct verifying *v, const char *name, mneme_error *error) {
    struct path folder = path_in(v->directory.text, "%s", name);
    struct recipe_finetune kept = v->experiment.recipe.finetune, settings;
    struct path cell = path_in(folder.text, FOLDER_CELL);
    TRY(read_settings(v, cell.text, &settings, error));
    struct stage stage = stage_of(&settings);
    if (stage.method == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s: names no method", cell.text);
    }
    v->experiment.recipe.finetune = settings;
    mneme_status status = verify_stage(v, &stage, name, folder.text, error);
    if (status == MNEME_OK && file_exists(path_in(folder.text, FOLDER_STREAM).text)) {
        status = verifying_pass_over(v, error,
                                     FOLDER_STREAM
                                     ", of which cell.json does not say "
                                     "what it asked");
    }
    v->experiment.recipe.finetune = kept;
    return status;
}

static mneme_status tell_not_repeated(struct verifying *v, size_t n, mneme_error *error) {
    TRY(verifying_begin(v, FOLDER_CELLS, error));
    v->stage->last = 0;
    return verifying_pass_over(
        v, error, "%zu finetunings, which keep no models: --cells repeats them from the base", n);
}

/* Calls for each folder below `at` that has a cell.json, with its name in the run folder. */
static mneme_status for_cells(struct verifying *v, const char *at,
                              mneme_status (*call)(struct verifying *, const char *, mneme_error *),
                              mneme_error *error) {
    struct path folder = path_in(v->directory.text, "%s", at);
    struct path_list list;
    if (!file_is_directory(folder.text)) return MNEME_OK;
    TRY(directory_list(folder.text, suffix, &list, error));
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < list.n && status == MNEME_OK; i++) {
        size_t length = strlen(list.paths[i]) - strlen(suffix);
        struct path name = path_in(at, "%.*s", (int)length, list.paths[i]);
        status = call(v, name.text, error);
    }
    path_list_free(&list);
    return status;
}

static mneme_status count_cell(struct verifying *v, const char *name, mneme_error *error) {
    (void)name, (void)error;
    v->n_cells++;
    return MNEME_OK;
}

static mneme_status verify_cell(struct verifying *v, const char *name, mneme_error *error) {
    return verifying_wants(v, name) ? repeat_cell(v, name, error) : MNEME_OK;
}

mneme_status verify_cells(struct verifying *v, mneme_error *error) {
    v->n_cells = 0;
    if (v->options->stage != NULL || v->options->cells) {
        return for_cells(v, FOLDER_CELLS, verify_cell, error);
    }
    TRY(for_cells(v, FOLDER_CELLS, count_cell, error));
    return v->n_cells > 0 ? tell_not_repeated(v, v->n_cells, error) : MNEME_OK;
}

/* Not those of the folder's recipe. */
static mneme_status verify_other(struct verifying *v, const char *name, mneme_error *error) {
    size_t n;
    struct stage *stages = stage_list(&v->experiment.recipe, &n);
    bool own = false;
    if (stages == NULL) return error_set_memory(error, "the stages");
    for (size_t i = 0; i < n; i++) {
        own |= strcmp(stages[i].name, name + strlen(FOLDER_FINETUNE "/")) == 0;
    }
    free(stages);
    return own ? MNEME_OK : verify_cell(v, name, error);
}

mneme_status verify_others(struct verifying *v, mneme_error *error) {
    return for_cells(v, FOLDER_FINETUNE, verify_other, error);
}
