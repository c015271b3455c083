#include "recipe/recipe_file.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/path.h"
#include "recipe/recipe_overrides.h"

#define MAX_RECIPE_BYTES ((size_t)1 << 20)
#define MAX_EXTENDED 8

/* Puts the keys of `over` into `base`. */
static int merge(json_t *base, const json_t *over) {
    const char *key;
    json_t *value;
    int failed = 0;
    json_object_foreach((json_t *)(uintptr_t)over, key, value) {
        json_t *below = json_object_get(base, key);
        if (json_is_null(value)) {
            json_object_del(base, key);
        } else if (json_is_object(below) && json_is_object(value)) {
            failed |= merge(below, value);
        } else {
            failed |= json_object_set(base, key, value);
        }
    }
    return failed;
}

/* Files that the recipe names by a path from its own folder: the path becomes one that a recipe
 * elsewhere can use. One that JSON cannot hold stays as it is, and is looked up like any other. */
static mneme_status keep_files(const char *recipe_path, json_t *recipe, mneme_error *error) {
    static const char *const keys[] = {"world", "known", "new", "skill"};
    json_t *corpus = json_object_get(recipe, "corpus");
    char *folder = path_folder(recipe_path);
    bool failed = folder == NULL;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !failed; i++) {
        const char *name = json_string_value(json_object_get(corpus, keys[i]));
        if (name == NULL || file_exists(name)) continue;
        char *path = path_join(folder, name);
        failed = path == NULL;
        if (!failed && file_exists(path)) json_object_set_new(corpus, keys[i], json_string(path));
        free(path);
    }
    free(folder);
    return failed ? error_set_memory(error, "a path") : MNEME_OK;
}

static mneme_status read_level(const char *path, int level, json_t **recipe, mneme_error *error);

/* Reads what the recipe extends, and lays the recipe over it. */
static mneme_status extend(const char *path, int level, json_t **recipe, mneme_error *error) {
    const json_t *extends = json_object_get(*recipe, "extends");
    if (extends == NULL) return MNEME_OK;
    const char *name = json_string_value(extends);
    if (name == NULL || *name == '\0') {
        return error_set(error, MNEME_BAD_INPUT, "%s: key `extends`: must be a path", path);
    }
    if (level == MAX_EXTENDED) {
        return error_set(error, MNEME_BAD_INPUT,
                         "%s: key `extends`: more than %d recipes one over the other", path,
                         MAX_EXTENDED);
    }
    char *folder = path_folder(path);
    char *base_path = folder == NULL ? NULL : path_join(folder, name);
    json_t *base = NULL;
    mneme_status status = base_path == NULL ? error_set_memory(error, "a path")
                                            : read_level(base_path, level + 1, &base, error);
    if (status == MNEME_OK) status = keep_files(base_path, base, error);
    if (status == MNEME_OK) {
        json_object_del(*recipe, "extends");
        if (merge(base, *recipe) != 0) status = error_set_memory(error, "the recipe");
    }
    if (status == MNEME_OK) {
        json_decref(*recipe);
        *recipe = base;
        base = NULL;
    }
    json_decref(base);
    free(base_path);
    free(folder);
    return status;
}

static mneme_status read_level(const char *path, int level, json_t **recipe, mneme_error *error) {
    mneme_status status = json_read_file(path, MAX_RECIPE_BYTES, recipe, error);
    if (status == MNEME_OK) status = extend(path, level, recipe, error);
    if (status != MNEME_OK) {
        json_decref(*recipe);
        *recipe = NULL;
    }
    return status;
}

mneme_status recipe_file_read(const char *path, const char *const *overrides, size_t n_overrides,
                              json_t **recipe, mneme_error *error) {
    *recipe = NULL;
    TRY(read_level(path, 0, recipe, error));
    mneme_status status = recipe_override(*recipe, overrides, n_overrides, error);
    if (status == MNEME_OK) return MNEME_OK;
    json_decref(*recipe);
    *recipe = NULL;
    return status;
}
