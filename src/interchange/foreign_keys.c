#include "interchange/foreign_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"

mneme_status foreign_refuse_value(const struct json_place *object, const char *key,
                                  const char *cause, mneme_error *error) {
    char *value = json_print(json_object_get(object->object, key), JSON_COMPACT | JSON_ENCODE_ANY);
    mneme_status status =
        json_refuse(object, key, error, "is %.80s%s, %s", value == NULL ? "?" : value,
                    value != NULL && strlen(value) > 80 ? "…" : "", cause);
    free(value);
    return status;
}

static bool is_off(const json_t *value) {
    switch (json_typeof(value)) {
        case JSON_NULL:
        case JSON_FALSE:
            return true;
        case JSON_INTEGER:
        case JSON_REAL:
            return json_number_value(value) == 0.0;
        case JSON_STRING:
            return json_string_length(value) == 0;
        case JSON_ARRAY:
            return json_array_size(value) == 0;
        case JSON_OBJECT:
            return json_object_size(value) == 0;
        default:
            return false;
    }
}

/* Whether the table has the key in the object. */
static bool has_key(const struct key_table *ours, const char *within, const char *name) {
    char path[128];
    int length = snprintf(path, sizeof path, "%s%s", within, name);
    return length < (int)sizeof path && key_find(ours, path) != NULL;
}

static bool is_allowed(const struct foreign_key *others, size_t n, const char *name,
                       const json_t *value) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(others[i].name, name) != 0) continue;
        return others[i].rule == FOREIGN_ANY || json_number_value(value) == 1.0;
    }
    return false;
}

mneme_status foreign_check_keys(const struct json_place *object, const struct key_table *ours,
                                const char *within, const struct foreign_key *others, size_t n,
                                mneme_error *error) {
    void *at = json_object_iter((json_t *)object->object);
    for (; at != NULL; at = json_object_iter_next((json_t *)object->object, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        if (is_off(value) || has_key(ours, within, name)) continue;
        if (is_allowed(others, n, name, value)) continue;
        return foreign_refuse_value(object, name, FOREIGN_UNKNOWN, error);
    }
    return MNEME_OK;
}
