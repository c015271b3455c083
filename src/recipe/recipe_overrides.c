#include "recipe/recipe_overrides.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_path.h"
#include "base/json_read.h"
#include "recipe/recipe.h"

/* The text as JSON; as a string where it is none, and where the key wants one. */
static json_t *parse_value(const char *key, const char *text) {
    json_error_t problem;
    json_t *value =
        json_parse(text, strlen(text), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
    const struct key *row = key_find(&recipe_keys, key);
    bool wants_string = row != NULL && (row->type == KEY_STRING ||
                                        (row->type == KEY_STRINGS && !json_is_array(value)));
    if (value == NULL || (wants_string && !json_is_string(value) && !json_is_null(value))) {
        json_decref(value);
        return json_string(text);
    }
    return value;
}

static mneme_status override(json_t *recipe, const char *text, mneme_error *error) {
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return error_set(error, MNEME_BAD_INPUT, "--set %s: must be key=value", text);
    }
    char *key = strndup(text, (size_t)(equals - text));
    if (key == NULL) return error_set_memory(error, "the recipe");
    json_t *value = parse_value(key, equals + 1);
    bool takes_away = json_is_null(value); /* such as a whole method */
    int failed = value == NULL || json_put(recipe, key, value);
    if (takes_away && failed == 0) json_remove(recipe, key);
    free(key);
    if (failed == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "--set %s: no such key, or it is not UTF-8", text);
}

mneme_status recipe_override(json_t *recipe, const char *const *overrides, size_t n_overrides,
                             mneme_error *error) {
    for (size_t i = 0; i < n_overrides; i++) TRY(override(recipe, overrides[i], error));
    return MNEME_OK;
}
