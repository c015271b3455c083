#include "recipe/recipe_overrides.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"

static json_t *parse_value(const char *text) {
    json_error_t problem;
    json_t *value =
        json_parse(text, strlen(text), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
    return value != NULL ? value : json_string(text);
}

/* Walks to the object that holds the last part of the key, which *last becomes. */
static json_t *walk(json_t *object, char *key, char **last) {
    for (char *dot = strchr(key, '.'); dot != NULL; dot = strchr(key, '.')) {
        *dot = '\0';
        json_t *inner = json_object_get(object, key);
        if (inner == NULL) {
            inner = json_object();
            if (json_object_set_new(object, key, inner) != 0) return NULL;
        }
        if (!json_is_object(inner)) return NULL;
        object = inner;
        key = dot + 1;
    }
    *last = key;
    return object;
}

static mneme_status override(json_t *recipe, const char *text, mneme_error *error) {
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return error_set(error, MNEME_BAD_INPUT, "--set %s: must be key=value", text);
    }
    char *key = strndup(text, (size_t)(equals - text)), *last = NULL;
    json_t *value = parse_value(equals + 1);
    json_t *object = key == NULL ? NULL : walk(recipe, key, &last);
    mneme_status status = MNEME_OK;
    if (value == NULL || object == NULL || *last == '\0') {
        status = error_set(error, MNEME_BAD_INPUT,
                           "--set %s: no such key, or the value is not UTF-8", text);
    } else if (json_is_null(value)) {
        json_object_del(object, last); /* null takes a key away, such as a whole method */
    } else if (json_object_set(object, last, value) != 0) {
        status = error_set(error, MNEME_BAD_INPUT, "--set %s: the key is not UTF-8", text);
    }
    json_decref(value);
    free(key);
    return status;
}

mneme_status recipe_override(json_t *recipe, const char *const *overrides, size_t n_overrides,
                             mneme_error *error) {
    for (size_t i = 0; i < n_overrides; i++) {
        mneme_status status = override(recipe, overrides[i], error);
        if (status != MNEME_OK) return status;
    }
    return MNEME_OK;
}
