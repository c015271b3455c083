#include "recipe/recipe_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"

/* Where the project's recipes expect data sets that it does not ship. */
#define DATA_SETS "../shared/data/"

static bool is_data_set(const char *path) {
    return strncmp(path, DATA_SETS, strlen(DATA_SETS)) == 0;
}

static mneme_status replace(char **path, const char *found, mneme_error *error) {
    free(*path);
    *path = strdup(found);
    return *path == NULL ? error_set_memory(error, "the recipe") : MNEME_OK;
}

mneme_status recipe_find_input(char **path, const char *recipe, mneme_error *error) {
    const char *data = getenv("MNEME_DATA");
    if (*path == NULL || file_exists(*path)) return MNEME_OK;
    const struct path candidates[] = {path_in(path_parent(recipe).text, "%s", *path),
                                      path_in("data/recipes", "%s", *path),
                                      path_in(MNEME_DATADIR "/recipes", "%s", *path)};
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (file_exists(candidates[i].text)) return replace(path, candidates[i].text, error);
    }
    if (data == NULL || !is_data_set(*path)) return MNEME_OK;
    struct path own = path_in(data, "%s", *path + strlen(DATA_SETS));
    return file_exists(own.text) ? replace(path, own.text, error) : MNEME_OK;
}

static mneme_status refuse(const struct recipe *recipe, const struct key *key, const char *path,
                           mneme_error *error) {
    const char *hint = is_data_set(path)
                           ? " (a data set that does not come with mneme: docs/data.md "
                             "says where it is from; MNEME_DATA can name the folder "
                             "of all)"
                           : "";
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: key `%s`: cannot open %s: there is no such file%s; `--set %s=PATH` names "
                     "another",
                     recipe->path, key->path, path, hint, key->path);
}

mneme_status recipe_check_inputs(const struct recipe *recipe, mneme_error *error) {
    for (const struct key *key = NULL; (key = keys_next(&recipe_keys, key, IS_INPUT)) != NULL;) {
        size_t n;
        char *const *paths = recipe_input_paths(recipe, key, &n);
        for (size_t i = 0; i < n; i++) {
            if (!file_exists(paths[i])) return refuse(recipe, key, paths[i], error);
        }
    }
    return MNEME_OK;
}
