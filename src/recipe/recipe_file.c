#include "recipe/recipe_file.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/file.h"
#include "base/json_path.h"
#include "base/json_read.h"
#include "base/path.h"
#include "recipe/recipe.h"
#include "recipe/recipe_overrides.h"

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

/* The path of a file that is named from the recipe's folder; NULL: it stays as it is. */
static json_t *kept_path(const char *recipe_path, const json_t *value) {
    const char *name = json_string_value(value);
    if (name == NULL || file_exists(name)) return NULL;
    struct path path = path_in(path_parent(recipe_path).text, "%s", name);
    return file_exists(path.text) ? json_string(path.text) : NULL;
}

/* Files that the recipe names by a path from its own folder: the path becomes one that a recipe
 * elsewhere can use. One that JSON cannot hold stays as it is, and is looked up like any other. */
static void keep_files(const char *recipe_path, json_t *recipe) {
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_INPUT)) != NULL;) {
        json_t *value = json_find(recipe, key->path);
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_t *kept = kept_path(recipe_path, json_array_get(value, i));
            if (kept != NULL) json_array_set_new(value, i, kept);
        }
        json_t *kept = kept_path(recipe_path, value);
        if (kept != NULL) json_put(recipe, key->path, kept);
    }
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
    struct path base_path = path_in(path_parent(path).text, "%s", name);
    json_t *base;
    TRY(read_level(base_path.text, level + 1, &base, error));
    keep_files(base_path.text, base);
    json_object_del(*recipe, "extends");
    int failed = merge(base, *recipe);
    json_decref(*recipe);
    *recipe = base;
    return failed ? error_set_memory(error, "the recipe") : MNEME_OK;
}

/* *recipe is NULL after a failure. */
static mneme_status read_level(const char *path, int level, json_t **recipe, mneme_error *error) {
    mneme_status status = json_read_file(path, JSON_MAX_BYTES, recipe, error);
    THEN(extend(path, level, recipe, error));
    if (status != MNEME_OK) {
        json_decref(*recipe);
        *recipe = NULL;
    }
    return status;
}

/* A recipe that is not at its path may be one of the project's, by its name. */
static struct path find_recipe(const char *path) {
    const struct path candidates[] = {path_in("data/recipes", "%s", path),
                                      path_in("data/recipes", "%s.json", path),
                                      path_in(MNEME_DATADIR "/recipes", "%s", path),
                                      path_in(MNEME_DATADIR "/recipes", "%s.json", path)};
    if (strchr(path, '/') != NULL || (file_exists(path) && !file_is_directory(path))) {
        return path_in("", "%s", path);
    }
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (file_exists(candidates[i].text)) return candidates[i];
    }
    return path_in("", "%s", path);
}

mneme_status recipe_file_read(const char *path, const char *const *overrides, size_t n_overrides,
                              json_t **recipe, mneme_error *error) {
    TRY(read_level(find_recipe(path).text, 0, recipe, error));
    mneme_status status = recipe_override(*recipe, overrides, n_overrides, error);
    if (status == MNEME_OK) return MNEME_OK;
    json_decref(*recipe);
    *recipe = NULL;
    return status;
}
