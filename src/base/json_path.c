#include "base/json_path.h"

#include <stdlib.h>
#include <string.h>

json_t *json_find(const json_t *object, const char *path) {
    for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(path, '.')) {
        object = json_object_getn(object, path, (size_t)(dot - path));
        path = dot + 1;
    }
    return json_object_get(object, path);
}

int json_put(json_t *object, const char *path, json_t *value) {
    for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(path, '.')) {
        size_t length = (size_t)(dot - path);
        json_t *inner = json_object_getn(object, path, length);
        if (inner == NULL) {
            inner = json_object();
            if (json_object_setn_new(object, path, length, inner) != 0) inner = NULL;
        }
        object = inner;
        path = dot + 1;
    }
    /* jansson takes NULL for any object, and fails. */
    return *path == '\0' ? (json_decref(value), -1) : json_object_set_new(object, path, value);
}

void json_remove(json_t *object, const char *path) {
    const char *dot = strrchr(path, '.');
    if (dot == NULL) {
        json_object_del(object, path);
        return;
    }
    char *above = strndup(path, (size_t)(dot - path));
    if (above != NULL) json_object_del(json_find(object, above), dot + 1);
    free(above);
}
