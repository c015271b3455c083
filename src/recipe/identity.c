#include "recipe/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json_path.h"
#include "base/json_write.h"
#include "base/path.h"
#include "corpus/text_files.h"
#include "recipe/base_folder.h"
#include "recipe/recipe_file.h"
#include "recipe/recipe_load.h"
#include "recipe/recipe_overrides.h"

/* An input file larger than this is surely not one. */
#define MAX_INPUT_BYTES ((size_t)1 << 32)

/* The digest of one input as JSON; text may be a folder. */
static mneme_status digest_input(const struct key *key, const char *path, json_t **value,
                                 mneme_error *error) {
    struct digest digest;
    TRY(key->type == KEY_STRINGS ? text_files_digest(path, &digest, error)
                                 : digest_of_file(path, MAX_INPUT_BYTES, &digest, error));
    *value = json_string(digest.hex);
    return *value == NULL ? error_set_memory(error, "the recipe") : MNEME_OK;
}

/* One path has a digest, several have a list of them. */
static mneme_status add_input(json_t *inputs, const struct key *key, size_t n, char *const *paths,
                              mneme_error *error) {
    if (strcmp(key->path, "base") == 0) return base_folder_digest(paths[0], inputs, error);
    json_t *list = json_array(), *value;
    mneme_status status = list == NULL ? error_set_memory(error, "the recipe") : MNEME_OK;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        status = digest_input(key, paths[i], &value, error);
        if (status == MNEME_OK) json_array_append_new(list, value);
    }
    value = n == 1 ? json_array_get(list, 0) : list;
    if (status == MNEME_OK && json_object_set(inputs, key_name(key), value) != 0) {
        status = error_set_memory(error, "the recipe");
    }
    json_decref(list);
    return status;
}

/* The SHA-256 of each input file. Paths do not make a run another run; what the files hold does. */
static mneme_status digest_inputs(const struct recipe *recipe, json_t *inputs, mneme_error *error) {
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_INPUT)) != NULL;) {
        size_t n;
        char *const *paths = recipe_input_paths(recipe, key, &n);
        if (n > 0) TRY(add_input(inputs, key, n, paths, error));
    }
    return MNEME_OK;
}

/* The recipe without its paths, and with `inputs`, which is borrowed. NULL without memory. */
static json_t *describe(const struct recipe *recipe, json_t *inputs) {
    json_t *object = recipe_to_json(recipe);
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_INPUT)) != NULL;) {
        json_remove(object, key->path);
    }
    if (json_object_set(object, "input_sha256", inputs) == 0) return object;
    json_decref(object);
    return NULL;
}

static mneme_status identify(const struct recipe *recipe, json_t **identity, mneme_error *error) {
    json_t *inputs = json_object();
    *identity = NULL;
    mneme_status status = digest_inputs(recipe, inputs, error);
    if (status == MNEME_OK && (*identity = describe(recipe, inputs)) == NULL) {
        status = error_set_memory(error, "the recipe");
    }
    json_decref(inputs);
    return status;
}

/* The recipe.json of a run folder, with the defaults of keys that were not there when it was
 * written. */
static mneme_status read_identity(const char *path, json_t **identity, mneme_error *error) {
    struct recipe recipe = {0};
    json_t *found;
    *identity = NULL;
    TRY(json_read_file(path, JSON_MAX_BYTES, &found, error));
    json_t *inputs = json_object_get(found, "input_sha256");
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_INPUT)) != NULL;) {
        if (json_object_get(inputs, key_name(key)) == NULL) continue;
        json_put(found, key->path, json_string(""));
    }
    mneme_status status = recipe_from_json(found, path, &recipe, error);
    if (status == MNEME_OK && (*identity = describe(&recipe, inputs)) == NULL) {
        status = error_set_memory(error, "the recipe");
    }
    recipe_free(&recipe);
    json_decref(found);
    return status;
}

/* Adds a part to a dotted key. */
static void descend(char *key, size_t size, const char *name) {
    size_t used = strlen(key);
    snprintf(key + used, size - used, "%s%s", used > 0 ? "." : "", name);
}

/* Writes the dotted key of the first difference into `key`; false if there is none. */
static bool find_difference(const json_t *a, const json_t *b, char *key, size_t size) {
    if (json_equal(a, b)) return false;
    if (!json_is_object(a) || !json_is_object(b)) return true;
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)a, name, member) {
        if (json_equal(member, json_object_get(b, name))) continue;
        descend(key, size, name);
        return find_difference(member, json_object_get(b, name), key, size);
    }
    json_object_foreach((json_t *)b, name, member) {
        if (json_object_get(a, name) != NULL) continue;
        descend(key, size, name);
        return true;
    }
    return true;
}

static void remove_keys(json_t *identity, unsigned flags) {
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, flags)) != NULL;) {
        json_remove(identity, key->path);
    }
}

/* Takes what is outside the scope away. */
static void reduce(json_t *identity, enum identity_scope scope) {
    remove_keys(identity, CHANGES_NO_BIT);
    if (scope == IDENTITY_BASE) remove_keys(identity, NOT_OF_BASE);
}

/* A value for a message. */
static void print_value(const json_t *identity, const char *key, char *text, size_t size) {
    const json_t *value = json_find(identity, key);
    char *printed =
        value == NULL ? NULL
                      : json_print(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    snprintf(text, size, "%.*s", (int)size - 1, printed == NULL ? "not given" : printed);
    free(printed);
}

/* The first key that differs, with both values. */
static mneme_status refuse(const char *path, const json_t *identity, const json_t *found,
                           const char *key, mneme_error *error) {
    char wanted[80], there[80];
    print_value(identity, key, wanted, sizeof wanted);
    print_value(found, key, there, sizeof there);
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: this folder holds another run: `%s` is %s there, %s here; choose another "
                     "folder",
                     path, key, there, wanted);
}

static mneme_status compare(const char *path, json_t *identity, enum identity_scope scope,
                            mneme_error *error) {
    json_t *found;
    char key[256] = "";
    mneme_status status = read_identity(path, &found, error);
    reduce(identity, scope);
    reduce(found, scope);
    if (status == MNEME_OK && find_difference(identity, found, key, sizeof key)) {
        status = refuse(path, identity, found, key, error);
    }
    json_decref(found);
    return status;
}

mneme_status identity_is_same(const struct recipe *recipe, const char *directory, bool *same,
                              mneme_error *error) {
    json_t *identity, *found = NULL;
    mneme_status status = identify(recipe, &identity, error);
    THEN(read_identity(path_in(directory, IDENTITY_RECIPE).text, &found, error));
    *same = status == MNEME_OK && json_equal(identity, found);
    json_decref(identity);
    json_decref(found);
    return status;
}

mneme_status identity_replace(const struct recipe *recipe, const char *directory,
                              mneme_error *error) {
    json_t *identity;
    mneme_status status = identify(recipe, &identity, error);
    THEN(json_write_file(path_in(directory, IDENTITY_RECIPE).text, identity, error));
    json_decref(identity);
    return status;
}

/* The absolute path as JSON. One that is not UTF-8 cannot stand there (*value is NULL); --set will
 * have to tell it again. */
static mneme_status absolute_path(const char *path, json_t **value, mneme_error *error) {
    char *absolute = realpath(path, NULL);
    *value = NULL;
    if (absolute == NULL) return error_set_errno(error, path, "cannot resolve");
    *value = json_string(absolute);
    free(absolute);
    return MNEME_OK;
}

static mneme_status remember_input(json_t *object, const struct key *key, size_t n,
                                   char *const *paths, mneme_error *error) {
    json_t *list = json_array(), *value;
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        status = absolute_path(paths[i], &value, error);
        if (status == MNEME_OK && value != NULL) json_array_append_new(list, value);
    }
    value = n == 1 ? json_array_get(list, 0) : list;
    if (json_array_size(list) == n) json_object_set(object, key_name(key), value);
    json_decref(list);
    return status;
}

/* inputs.json: where the input files are, for opening the folder again without a recipe. */
static mneme_status remember_paths(const struct recipe *recipe, const char *directory,
                                   mneme_error *error) {
    json_t *object = json_object();
    mneme_status status = MNEME_OK;
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_INPUT)) != NULL;) {
        size_t n;
        char *const *paths = recipe_input_paths(recipe, key, &n);
        if (n > 0) THEN(remember_input(object, key, n, paths, error));
    }
    THEN(json_write_file(path_in(directory, "inputs.json").text, object, error));
    json_decref(object);
    return status;
}

mneme_status identity_check(const struct recipe *recipe, const char *directory,
                            enum identity_scope scope, bool write_paths, mneme_error *error) {
    struct path path = path_in(directory, "recipe.json");
    json_t *identity;
    mneme_status status = identify(recipe, &identity, error);
    THEN(file_exists(path.text) ? compare(path.text, identity, scope, error)
                                : json_write_file(path.text, identity, error));
    if (write_paths) THEN(remember_paths(recipe, directory, error));
    json_decref(identity);
    return status;
}

/* Puts where inputs.json says that the input files are into the recipe's object. */
static mneme_status recall_paths(const char *directory, json_t *recipe, mneme_error *error) {
    struct path path = path_in(directory, "inputs.json");
    json_t *inputs;
    if (!file_exists(path.text)) return MNEME_OK;
    TRY(json_read_file(path.text, JSON_MAX_BYTES, &inputs, error));
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_INPUT)) != NULL;) {
        json_t *input = json_object_get(inputs, key_name(key));
        if (!json_is_string(input) && !json_is_array(input)) continue;
        json_put(recipe, key->path, json_incref(input));
    }
    json_decref(inputs);
    return MNEME_OK;
}

mneme_status identity_put_inputs(const char *directory, const char *const *overrides,
                                 size_t n_overrides, json_t *recipe, mneme_error *error) {
    TRY(recall_paths(directory, recipe, error));
    return recipe_override(recipe, overrides, n_overrides, error);
}

mneme_status identity_read(const char *directory, const char *const *overrides, size_t n_overrides,
                           json_t **recipe, mneme_error *error) {
    struct path path = path_in(directory, "recipe.json");
    *recipe = NULL;
    if (!file_exists(path.text)) {
        return error_set(error, MNEME_BAD_INPUT, "%s: is not a run folder: it has no recipe.json",
                         directory);
    }
    TRY(recipe_file_read(path.text, NULL, 0, recipe, error));
    mneme_status status = identity_put_inputs(directory, overrides, n_overrides, *recipe, error);
    if (status == MNEME_OK) return MNEME_OK;
    json_decref(*recipe);
    *recipe = NULL;
    return status;
}

mneme_status identity_recipe(const char *directory, const char *const *overrides,
                             size_t n_overrides, struct recipe *recipe, mneme_error *error) {
    json_t *object;
    *recipe = (struct recipe){0};
    TRY(identity_read(directory, overrides, n_overrides, &object, error));
    mneme_status status =
        recipe_from_json(object, path_in(directory, "recipe.json").text, recipe, error);
    json_decref(object);
    return status;
}

mneme_status identity_input(const char *directory, const char *name, char **text,
                            mneme_error *error) {
    struct path path = path_in(directory, IDENTITY_RECIPE);
    json_t *recipe;
    TRY(json_read_file(path.text, JSON_MAX_BYTES, &recipe, error));
    const json_t *digest = json_object_get(json_object_get(recipe, "input_sha256"), name);
    *text = digest == NULL ? NULL : json_print(digest, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(recipe);
    if (*text != NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: key `input_sha256.%s`: is missing", path.text,
                     name);
}

json_t *identity_of_cell(const struct recipe *recipe) {
    json_t *whole = recipe_to_json(recipe), *cell = json_object();
    int failed = 0;
    for (const struct key *key = NULL;
         (key = keys_next(&recipe_keys, key, CHANGES_NO_NUMBER)) != NULL;) {
        json_remove(whole, key->path);
    }
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, OF_CELL)) != NULL;) {
        json_t *value = json_find(whole, key->path);
        if (value != NULL) failed |= json_object_set(cell, key->path, value);
    }
    json_decref(whole);
    if (failed == 0) return cell;
    json_decref(cell);
    return NULL;
}
