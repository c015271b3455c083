#include "recipe/identity.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/text.h"

/* An input file larger than this is surely not one. */
#define MAX_INPUT_BYTES ((size_t)1 << 32)
#define MAX_RECIPE_BYTES ((size_t)1 << 24)

#define N_INPUTS 4

/* The keys of recipe.corpus that are paths. */
static const char *const input_keys[N_INPUTS] = {"world", "known", "new", "skill"};

static mneme_status add_input(json_t *inputs, const char *key, const char *path,
                              mneme_error *error) {
    if (path == NULL) return MNEME_OK;
    char *bytes;
    size_t length;
    struct digest digest;
    mneme_status status = file_read(path, MAX_INPUT_BYTES, &bytes, &length, error);
    if (status != MNEME_OK) return status;
    status = digest_of_bytes(bytes, length, &digest, error);
    free(bytes);
    if (status == MNEME_OK && json_object_set_new(inputs, key, json_string(digest.hex)) != 0) {
        status = error_set_memory(error, "the recipe");
    }
    return status;
}

/* inputs.json: where the input files are, for whoever opens the folder again without a recipe. */
static mneme_status remember_paths(const struct recipe_corpus *corpus, const char *directory,
                                   mneme_error *error) {
    const char *const paths[] = {corpus->world, corpus->known, corpus->new_questions,
                                 corpus->skill};
    char *path = path_join(directory, "inputs.json");
    json_t *object = json_object();
    mneme_status status =
        path == NULL || object == NULL ? error_set_memory(error, "the recipe") : MNEME_OK;
    for (size_t i = 0; i < N_INPUTS && status == MNEME_OK; i++) {
        if (paths[i] == NULL) continue;
        char *absolute = realpath(paths[i], NULL);
        if (absolute == NULL) {
            status = error_set_errno(error, paths[i], "cannot resolve");
        }
        /* A path that is not UTF-8 cannot stand in JSON; --set will have to tell it again. */
        if (absolute != NULL) json_object_set_new(object, input_keys[i], json_string(absolute));
        free(absolute);
    }
    if (status == MNEME_OK) status = json_write_file(path, object, error);
    json_decref(object);
    free(path);
    return status;
}

/* Paths do not make a run another run; what the files hold does. */
static void forget_paths(json_t *recipe) {
    json_t *corpus = json_object_get(recipe, "corpus");
    for (size_t i = 0; i < N_INPUTS; i++) json_object_del(corpus, input_keys[i]);
}

static mneme_status describe(const struct recipe *recipe, json_t **identity, mneme_error *error) {
    const struct recipe_corpus *corpus = &recipe->corpus;
    json_t *object = recipe_to_json(recipe), *inputs = json_object();
    mneme_status status =
        object == NULL || inputs == NULL ? error_set_memory(error, "the recipe") : MNEME_OK;
    if (status == MNEME_OK) status = add_input(inputs, "world", corpus->world, error);
    if (status == MNEME_OK) status = add_input(inputs, "known", corpus->known, error);
    if (status == MNEME_OK) status = add_input(inputs, "new", corpus->new_questions, error);
    if (status == MNEME_OK) status = add_input(inputs, "skill", corpus->skill, error);
    if (status == MNEME_OK) {
        forget_paths(object);
        if (json_object_set(object, "input_sha256", inputs) != 0) {
            status = error_set_memory(error, "the recipe");
        }
    }
    json_decref(inputs);
    if (status != MNEME_OK) {
        json_decref(object);
        object = NULL;
    }
    *identity = object;
    return status;
}

/* Writes the dotted key of the first difference into `key`; false if there is none. */
static bool find_difference(const json_t *a, const json_t *b, char *key, size_t size) {
    if (json_equal(a, b)) return false;
    if (!json_is_object(a) || !json_is_object(b)) return true;
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)a, name, member) {
        if (json_equal(member, json_object_get(b, name))) continue;
        size_t used = strlen(key);
        snprintf(key + used, size - used, "%s%s", used > 0 ? "." : "", name);
        find_difference(member, json_object_get(b, name), key, size);
        return true;
    }
    json_object_foreach((json_t *)b, name, member) {
        if (json_object_get(a, name) != NULL) continue;
        size_t used = strlen(key);
        snprintf(key + used, size - used, "%s%s", used > 0 ? "." : "", name);
        return true;
    }
    return true;
}

/* What is outside the scope is taken out of both. */
static void reduce(json_t *identity, enum identity_scope scope) {
    if (scope != IDENTITY_BASE) return;
    json_object_del(identity, "name");
    json_object_del(identity, "finetune");
}

static mneme_status compare(const char *path, json_t *identity, enum identity_scope scope,
                            mneme_error *error) {
    json_t *found = NULL;
    char key[256] = "";
    mneme_status status = json_read_file(path, MAX_RECIPE_BYTES, &found, error);
    reduce(identity, scope);
    if (status == MNEME_OK) reduce(found, scope);
    if (status == MNEME_OK && find_difference(identity, found, key, sizeof key)) {
        status =
            error_set(error, MNEME_BAD_INPUT,
                      "%s: this folder holds another run (`%s` differs); choose another folder",
                      path, key[0] == '\0' ? "a key" : key);
    }
    json_decref(found);
    return status;
}

mneme_status identity_check(const struct recipe *recipe, const char *directory,
                            enum identity_scope scope, bool write_paths, mneme_error *error) {
    json_t *identity = NULL;
    char *path = path_join(directory, "recipe.json");
    if (path == NULL) return error_set_memory(error, "a path");
    mneme_status status = describe(recipe, &identity, error);
    if (status == MNEME_OK) {
        status = file_exists(path) ? compare(path, identity, scope, error)
                                   : json_write_file(path, identity, error);
    }
    if (status == MNEME_OK && write_paths) {
        status = remember_paths(&recipe->corpus, directory, error);
    }
    json_decref(identity);
    free(path);
    return status;
}

/* "corpus.world=/PATH" for an input that inputs.json tells; NULL otherwise. malloc'ed. */
static char *input_override(const json_t *inputs, const char *key) {
    struct text text = {0};
    const char *path = json_string_value(json_object_get(inputs, key));
    if (path == NULL) return NULL;
    text_add(&text, "corpus.%s=%s", key, path);
    return text_take(&text);
}

/* The folder's own input paths, then the caller's overrides. */
static mneme_status load_with_inputs(const char *recipe_path, const json_t *inputs,
                                     const char *const *overrides, size_t n_overrides,
                                     struct recipe *recipe, mneme_error *error) {
    char *own[N_INPUTS] = {NULL};
    const char **all = calloc(N_INPUTS + n_overrides, sizeof *all);
    size_t n = 0;
    if (all == NULL) return error_set_memory(error, "the recipe");
    for (size_t i = 0; i < N_INPUTS; i++) {
        own[i] = input_override(inputs, input_keys[i]);
        if (own[i] != NULL) all[n++] = own[i];
    }
    for (size_t i = 0; i < n_overrides; i++) all[n++] = overrides[i];
    mneme_status status = recipe_load(recipe_path, all, n, recipe, error);
    for (size_t i = 0; i < N_INPUTS; i++) free(own[i]);
    free(all);
    return status;
}

mneme_status identity_recipe(const char *directory, const char *const *overrides,
                             size_t n_overrides, struct recipe *recipe, mneme_error *error) {
    char *recipe_path = path_join(directory, "recipe.json");
    char *inputs_path = path_join(directory, "inputs.json");
    json_t *inputs = NULL;
    mneme_status status = MNEME_OK;
    if (recipe_path == NULL || inputs_path == NULL) {
        status = error_set_memory(error, "a path");
    } else if (!file_exists(recipe_path)) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: is not a run folder: it has no recipe.json",
                           directory);
    } else if (file_exists(inputs_path)) {
        status = json_read_file(inputs_path, MAX_RECIPE_BYTES, &inputs, error);
    }
    if (status == MNEME_OK) {
        status = load_with_inputs(recipe_path, inputs, overrides, n_overrides, recipe, error);
    }
    json_decref(inputs);
    free(inputs_path);
    free(recipe_path);
    return status;
}
