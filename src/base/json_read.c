#include "base/json_read.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_locale.h"
#include "base/file.h"
#include "base/json_path.h"

json_t *json_parse(const char *bytes, size_t length, size_t flags, json_error_t *cause) {
    struct c_locale entered = c_locale_enter();
    json_t *value = json_loadb(bytes, length, flags, cause);
    c_locale_leave(entered);
    return value;
}

mneme_status json_read_file(const char *path, size_t max_bytes, json_t **root, mneme_error *error) {
    *root = NULL;
    char *bytes = NULL;
    size_t length;
    TRY(file_read_text(path, max_bytes, &bytes, &length, error));
    json_error_t cause;
    json_t *value = json_parse(bytes, length, JSON_REJECT_DUPLICATES, &cause);
    free(bytes);
    if (value == NULL) {
        return error_set(error, MNEME_BAD_INPUT, "%s:%d: %s", path, cause.line, cause.text);
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return error_set(error, MNEME_BAD_INPUT, "%s: must be an object", path);
    }
    *root = value;
    return MNEME_OK;
}

mneme_status json_place_root(const json_t *object, const char *place, struct json_place *root,
                             mneme_error *error) {
    *root = (struct json_place){.object = object, .place = place};
    if (json_is_object(object)) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT, "%s: must be an object", place);
}

mneme_status json_refuse(const struct json_place *place, const char *key, mneme_error *error,
                         const char *format, ...) {
    char cause[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cause, sizeof cause, format, arguments);
    va_end(arguments);
    return error_set(error, MNEME_BAD_INPUT, "%s: key `%s%s`: %s", place->place, place->prefix, key,
                     cause);
}

/* Adds what the file says to a refusal of it. */
static mneme_status refused(const json_t *found, mneme_error *error) {
    struct c_locale entered = c_locale_enter();
    char *text = json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(7));
    c_locale_leave(entered);
    size_t used = error == NULL ? 0 : strlen(error->message);
    if (text != NULL && error != NULL) {
        snprintf(error->message + used, sizeof error->message - used, ", is %.40s%s", text,
                 strlen(text) > 40 ? "…" : "");
    }
    free(text);
    return MNEME_BAD_INPUT;
}

/* *value becomes NULL when the key is missing and may be. */
static mneme_status get(const struct json_place *place, const char *key, enum key_need need,
                        const json_t **value, mneme_error *error) {
    *value = json_object_get(place->object, key); /* a dot may be part of the key itself */
    if (*value == NULL) *value = json_find(place->object, key);
    if (*value != NULL || need == KEY_OPTIONAL) return MNEME_OK;
    return json_refuse(place, key, error, "missing");
}

mneme_status json_get_object(const struct json_place *place, const char *key, enum key_need need,
                             struct json_place *value, mneme_error *error) {
    const json_t *found;
    TRY(get(place, key, need, &found, error));
    if (found != NULL && !json_is_object(found)) {
        json_refuse(place, key, error, "must be an object");
        return refused(found, error);
    }
    struct json_place inner = {.object = found, .place = place->place};
    snprintf(inner.prefix, sizeof inner.prefix, "%.100s%s.", place->prefix, key);
    *value = inner;
    return MNEME_OK;
}

/* "a list of integers from 1 to 2" or "an integer of at least 1", as `noun` says. */
static mneme_status refuse_size(const struct json_place *place, const char *key, const char *noun,
                                size_t low, size_t high, mneme_error *error) {
    if (high >= INT64_MAX) {
        return json_refuse(place, key, error, "must be %s of at least %zu", noun, low);
    }
    return json_refuse(place, key, error, "must be %s from %zu to %zu", noun, low, high);
}

mneme_status json_refuse_size(const struct json_place *place, const char *key, size_t low,
                              size_t high, mneme_error *error) {
    return refuse_size(place, key, "an integer", low, high, error);
}

static bool size_in_range(const json_t *value, size_t low, size_t high, size_t *size) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *size = (size_t)json_integer_value(value);
    return *size >= low && *size <= high;
}

mneme_status json_get_size(const struct json_place *place, const char *key, enum key_need need,
                           size_t low, size_t high, size_t *value, mneme_error *error) {
    const json_t *found;
    size_t size;
    TRY(get(place, key, need, &found, error));
    if (found == NULL) return MNEME_OK;
    if (!size_in_range(found, low, high, &size)) {
        json_refuse_size(place, key, low, high, error);
        return refused(found, error);
    }
    *value = size;
    return MNEME_OK;
}

static void number_text(float value, char text[32]) {
    struct c_locale entered = c_locale_enter();
    snprintf(text, 32, "%g", (double)value);
    c_locale_leave(entered);
}

static mneme_status refuse_float(const struct json_place *place, const char *key, const char *noun,
                                 float low, float high, mneme_error *error) {
    char low_text[32], high_text[32];
    number_text(low, low_text);
    number_text(high, high_text);
    if (high == FLT_MAX) {
        return json_refuse(place, key, error, "must be %s of at least %s", noun, low_text);
    }
    return json_refuse(place, key, error, "must be %s from %s to %s", noun, low_text, high_text);
}

mneme_status json_refuse_float(const struct json_place *place, const char *key, float low,
                               float high, mneme_error *error) {
    return refuse_float(place, key, "a number", low, high, error);
}

static bool float_in_range(const json_t *value, float low, float high, float *number) {
    if (!json_is_number(value)) return false;
    *number = (float)json_number_value(value);
    return isfinite(*number) && *number >= low && *number <= high;
}

mneme_status json_get_float(const struct json_place *place, const char *key, enum key_need need,
                            float low, float high, float *value, mneme_error *error) {
    const json_t *found;
    float number;
    TRY(get(place, key, need, &found, error));
    if (found == NULL) return MNEME_OK;
    if (!float_in_range(found, low, high, &number)) {
        json_refuse_float(place, key, low, high, error);
        return refused(found, error);
    }
    *value = number;
    return MNEME_OK;
}

mneme_status json_get_bool(const struct json_place *place, const char *key, enum key_need need,
                           bool *value, mneme_error *error) {
    const json_t *found;
    TRY(get(place, key, need, &found, error));
    if (found == NULL) return MNEME_OK;
    if (!json_is_boolean(found)) {
        json_refuse(place, key, error, "must be true or false");
        return refused(found, error);
    }
    *value = json_is_true(found);
    return MNEME_OK;
}

mneme_status json_get_string(const struct json_place *place, const char *key, enum key_need need,
                             char **value, mneme_error *error) {
    const json_t *found;
    TRY(get(place, key, need, &found, error));
    if (found == NULL) return MNEME_OK;
    if (!json_is_string(found)) {
        json_refuse(place, key, error, "must be a string");
        return refused(found, error);
    }
    char *copy = strdup(json_string_value(found));
    if (copy == NULL) return error_set_memory(error, key);
    free(*value);
    *value = copy;
    return MNEME_OK;
}

mneme_status json_get_choice(const struct json_place *place, const char *key, enum key_need need,
                             const char *const *names, size_t n_names, size_t *index,
                             mneme_error *error) {
    const json_t *found;
    TRY(get(place, key, need, &found, error));
    if (found == NULL) return MNEME_OK;
    const char *name = json_string_value(found);
    for (size_t i = 0; name != NULL && i < n_names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *index = i;
            return MNEME_OK;
        }
    }
    char list[400] = "";
    for (size_t i = 0, used = 0; i < n_names && used < sizeof list; i++) {
        const char *between = i == 0 ? "" : i + 1 == n_names ? " or " : ", ";
        used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"", between, names[i]);
    }
    json_refuse(place, key, error, "must be %s", list);
    return refused(found, error);
}

/* The list under `key`, or NULL; at most max_count long. */
static mneme_status get_list(const struct json_place *place, const char *key, enum key_need need,
                             size_t max_count, const json_t **list, mneme_error *error) {
    TRY(get(place, key, need, list, error));
    if (*list == NULL) return MNEME_OK;
    if (!json_is_array(*list)) {
        json_refuse(place, key, error, "must be a list, such as [1]");
        return refused(*list, error);
    }
    if (json_array_size(*list) > max_count) {
        return json_refuse(place, key, error, "has %zu elements, must have at most %zu",
                           json_array_size(*list), max_count);
    }
    return MNEME_OK;
}

mneme_status json_get_sizes(const struct json_place *place, const char *key, enum key_need need,
                            size_t low, size_t high, size_t *values, size_t max_count,
                            size_t *count, mneme_error *error) {
    const json_t *list;
    TRY(get_list(place, key, need, max_count, &list, error));
    if (list == NULL) return MNEME_OK;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!size_in_range(json_array_get(list, i), low, high, &values[i])) {
            refuse_size(place, key, "a list of integers", low, high, error);
            return refused(list, error);
        }
    }
    *count = json_array_size(list);
    return MNEME_OK;
}

mneme_status json_get_floats(const struct json_place *place, const char *key, enum key_need need,
                             float low, float high, float *values, size_t max_count, size_t *count,
                             mneme_error *error) {
    const json_t *list;
    TRY(get_list(place, key, need, max_count, &list, error));
    if (list == NULL) return MNEME_OK;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!float_in_range(json_array_get(list, i), low, high, &values[i])) {
            refuse_float(place, key, "a list of numbers", low, high, error);
            return refused(list, error);
        }
    }
    *count = json_array_size(list);
    return MNEME_OK;
}

/* Insertions, deletions and replacements between two words; words too long are far apart. */
static size_t edit_distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    size_t n_a = strlen(a), n_b = strlen(b), row[LONGEST + 1];
    if (n_a > LONGEST || n_b > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= n_b; j++) row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n_b];
}

static mneme_status refuse_key(const struct json_place *place, const char *key,
                               const char *const *known, size_t n_known, mneme_error *error) {
    const char *closest = NULL;
    size_t least = strlen(key) < 6 ? 2 : 3; /* further away is another word */
    for (size_t i = 0; i < n_known; i++) {
        size_t distance = edit_distance(key, known[i]);
        if (distance < least) {
            least = distance;
            closest = known[i];
        }
    }
    if (closest == NULL) return json_refuse(place, key, error, "unknown");
    return json_refuse(place, key, error, "unknown; did you mean `%s%s`?", place->prefix, closest);
}

mneme_status json_check_keys(const struct json_place *place, const char *const *known,
                             size_t n_known, mneme_error *error) {
    const char *key;
    json_t *value;
    /* jansson has no iteration over a const object; nothing is changed. */
    json_t *object = (json_t *)(uintptr_t)place->object;
    json_object_foreach(object, key, value) {
        bool found = false;
        for (size_t i = 0; i < n_known && !found; i++) found = strcmp(key, known[i]) == 0;
        if (!found) return refuse_key(place, key, known, n_known, error);
    }
    return MNEME_OK;
}
