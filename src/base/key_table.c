#include "base/key_table.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_path.h"
#include "base/json_write.h"

static void *value_at(void *settings, const struct key *key) {
    return (char *)settings + key->offset;
}

static const void *value_of(const void *settings, const struct key *key) {
    return (const char *)settings + key->offset;
}

static size_t *count_at(void *settings, const struct key *key) {
    return (size_t *)(void *)((char *)settings + key->count_offset);
}

static size_t count_of(const void *settings, const struct key *key) {
    return *(const size_t *)(const void *)((const char *)settings + key->count_offset);
}

static struct key_strings *strings_at(void *settings, const struct key *key) {
    return value_at(settings, key);
}

static size_t strings_of(const struct key *key, const void *settings) {
    return ((const struct key_strings *)value_of(settings, key))->n;
}

/* A value that is a single number, or a list's count; large sizes are rounded. */
static double number_of(const struct key *key, const void *settings) {
    const void *value = value_of(settings, key);
    switch (key->type) {
        case KEY_SIZE:
            return (double)*(const size_t *)value;
        case KEY_FLOAT:
            return (double)*(const float *)value;
        case KEY_BOOL:
            return *(const bool *)value;
        case KEY_CHOICE:
            return *(const int *)value;
        default:
            return 0.0;
    }
}

/* The nearest size: a default may come from a key that is missing and has no size yet. */
static size_t size_of(double number) {
    if (!(number > 0.0)) return 0;
    return number >= 0x1p64 ? SIZE_MAX : (size_t)number;
}

static void set_number(const struct key *key, double number, void *settings) {
    void *value = value_at(settings, key);
    if (key->type == KEY_SIZE) *(size_t *)value = size_of(number);
    if (key->type == KEY_FLOAT) *(float *)value = (float)number;
    if (key->type == KEY_BOOL) *(bool *)value = number > 0.0;
    if (key->type == KEY_CHOICE) *(int *)value = (int)number;
}

static bool is_list(const struct key *key) {
    return key->type == KEY_SIZES || key->type == KEY_FLOATS;
}

/* Lists and strings, whose default is that there is none. */
static bool has_no_number(const struct key *key) {
    return key->type == KEY_STRING || key->type == KEY_STRINGS || is_list(key);
}

/* The default, where rows above may decide it. */
static double default_of(const struct key *key, const void *settings) {
    if (key->derived == NULL) return key->initial;
    const void *owner = (const char *)settings + key->owner;
    if (key->type == KEY_FLOAT) return (double)key->derived->number(owner);
    return (double)key->derived->value(owner);
}

const struct key *key_find(const struct key_table *table, const char *path) {
    for (size_t i = 0; i < table->n; i++) {
        const struct key *key = &table->keys[i];
        if (key->path != NULL && strcmp(key->path, path) == 0) return key;
    }
    return NULL;
}

const struct key *keys_next(const struct key_table *table, const struct key *key, unsigned flags) {
    for (key = key == NULL ? table->keys : key + 1; key < table->keys + table->n; key++) {
        if ((key->flags & flags) != 0) return key;
    }
    return NULL;
}

const char *key_name(const struct key *key) {
    const char *dot = strrchr(key->path, '.');
    return dot == NULL ? key->path : dot + 1;
}

bool key_has_value(const struct key *key) {
    return key->path != NULL && key->type != KEY_OBJECT && key->type != KEY_OTHER;
}

static bool is_in_range(const struct key *key, double number) {
    return number >= key->low && number <= key->high; /* never of NaN */
}

bool key_is_out_of_range(const struct key *key, const void *settings) {
    if (key->type == KEY_STRING) return *(char *const *)value_of(settings, key) == NULL;
    if (is_list(key)) return count_of(settings, key) == 0;
    if (key->type == KEY_STRINGS) return strings_of(key, settings) == 0;
    return !is_in_range(key, number_of(key, settings));
}

bool key_is_default(const struct key *key, const void *settings) {
    if (has_no_number(key)) return key_is_out_of_range(key, settings);
    return number_of(key, settings) == default_of(key, settings);
}

bool key_is_required(const struct key *key) {
    if ((key->flags & KEY_MAY_LACK) != 0 || key->derived != NULL || !key_has_value(key)) {
        return false;
    }
    return has_no_number(key) || !is_in_range(key, key->initial);
}

void keys_set_defaults(const struct key_table *table, void *settings) {
    for (size_t i = 0; i < table->n; i++) {
        const struct key *key = &table->keys[i];
        if (key->type == KEY_STRING) *(char **)value_at(settings, key) = NULL;
        if (is_list(key)) *count_at(settings, key) = 0;
        if (key->type == KEY_STRINGS) *strings_at(settings, key) = (struct key_strings){0};
        set_number(key, key->initial, settings);
    }
}

/* Whether `path` is that of a member of the object at `object`, or deeper in it. */
static bool is_inside(const char *path, const char *object) {
    size_t length = strlen(object);
    return strncmp(path, object, length) == 0 && path[length] == '.';
}

/* The row after an object's last one. */
static size_t object_end(const struct key_table *table, size_t object) {
    size_t i = object + 1;
    while (i < table->n && (table->keys[i].path == NULL ||
                            is_inside(table->keys[i].path, table->keys[object].path))) {
        i++;
    }
    return i;
}

/* The members of the object `at` whose paths in the table begin with `prefix`. */
static mneme_status check_members(const struct key_table *table, const struct json_place *at,
                                  const char *prefix, mneme_error *error) {
    const char *known[64];
    size_t n_known = 0, length = strlen(prefix);
    for (size_t i = 0; i < table->n; i++) {
        const char *path = table->keys[i].path;
        if (path == NULL || strncmp(path, prefix, length) != 0) continue;
        if (strchr(path + length, '.') != NULL) continue;
        assert(n_known < sizeof known / sizeof *known);
        known[n_known++] = path + length;
    }
    return json_check_keys(at, known, n_known, error);
}

/* Keeps a complaint, to go on; false for a failure of another kind. */
static bool collect(mneme_status status, const mneme_error *one, const char *place,
                    mneme_error *all) {
    if (status == MNEME_OK) return true;
    if (status == MNEME_BAD_INPUT) {
        error_join(all, one, place);
    } else {
        *all = *one;
    }
    return status == MNEME_BAD_INPUT;
}

/* Hands what was collected over. */
static mneme_status collected(const mneme_error *all, mneme_error *error) {
    if (all->status != MNEME_OK && error != NULL) *error = *all;
    return all->status;
}

mneme_status keys_check_known(const struct key_table *table, const struct json_place *root,
                              mneme_error *error) {
    mneme_error all = {0}, one = {0};
    if (!collect(check_members(table, root, "", &one), &one, root->place, &all)) {
        return collected(&all, error);
    }
    for (size_t i = 0; i < table->n; i++) {
        const struct key *key = &table->keys[i];
        if (key->path == NULL || key->type != KEY_OBJECT) continue;
        struct json_place object;
        char prefix[128];
        snprintf(prefix, sizeof prefix, "%s.", key->path);
        mneme_status status = json_get_object(root, key->path, KEY_OPTIONAL, &object, &one);
        THEN(check_members(table, &object, prefix, &one));
        if (!collect(status, &one, root->place, &all)) break;
    }
    return collected(&all, error);
}

static mneme_status check_ascends(const struct key *key, const struct json_place *root,
                                  const void *settings, mneme_error *error) {
    const size_t *sizes = value_of(settings, key);
    const float *floats = value_of(settings, key);
    size_t n = count_of(settings, key);
    for (size_t i = 1; i < n; i++) {
        bool ascends = key->type == KEY_SIZES ? sizes[i] > sizes[i - 1] : floats[i] > floats[i - 1];
        if (!ascends) return json_refuse(root, key->path, error, "must ascend");
    }
    return MNEME_OK;
}

static mneme_status read_list(const struct key *key, const struct json_place *root,
                              enum key_need need, void *settings, mneme_error *error) {
    void *list = value_at(settings, key);
    size_t *count = count_at(settings, key);
    if (key->type == KEY_SIZES) {
        TRY(json_get_sizes(root, key->path, need, (size_t)key->low, (size_t)key->high, list,
                           key->capacity, count, error));
    } else {
        TRY(json_get_floats(root, key->path, need, (float)key->low, (float)key->high, list,
                            key->capacity, count, error));
    }
    if (*count == 0 && need == KEY_REQUIRED) {
        return json_refuse(root, key->path, error, "is an empty list");
    }
    return check_ascends(key, root, settings, error);
}

static void free_strings(struct key_strings *strings) {
    for (size_t i = 0; i < strings->n; i++) free(strings->texts[i]);
    free(strings->texts);
    *strings = (struct key_strings){0};
}

static mneme_status add_string(const struct key *key, const struct json_place *root,
                               const json_t *value, struct key_strings *strings,
                               mneme_error *error) {
    if (!json_is_string(value)) {
        return json_refuse(root, key->path, error, "must be a string or a list of strings");
    }
    strings->texts[strings->n] = strdup(json_string_value(value));
    return strings->texts[strings->n++] == NULL ? error_set_memory(error, key->path) : MNEME_OK;
}

/* One string, or a list of some. */
static mneme_status read_strings(const struct key *key, const struct json_place *root,
                                 enum key_need need, void *settings, mneme_error *error) {
    const json_t *value = json_find(root->object, key->path);
    struct key_strings *strings = strings_at(settings, key);
    if (value == NULL && need == KEY_OPTIONAL) return MNEME_OK;
    const size_t n = json_is_array(value) ? json_array_size(value) : 1;
    if (n == 0) return json_refuse(root, key->path, error, "is an empty list");
    free_strings(strings);
    strings->texts = calloc(n, sizeof *strings->texts);
    if (strings->texts == NULL) return error_set_memory(error, key->path);
    for (size_t i = 0; i < n; i++) {
        const json_t *element = json_is_array(value) ? json_array_get(value, i) : value;
        TRY(add_string(key, root, element, strings, error));
    }
    return MNEME_OK;
}

static mneme_status read_choice(const struct key *key, const struct json_place *root,
                                enum key_need need, void *settings, mneme_error *error) {
    size_t index = (size_t)number_of(key, settings);
    TRY(json_get_choice(root, key->path, need, key->names, key->n_names, &index, error));
    set_number(key, (double)index, settings);
    return MNEME_OK;
}

static mneme_status read_key(const struct key *key, const struct json_place *root,
                             enum key_need need, void *settings, mneme_error *error) {
    void *value = value_at(settings, key);
    switch (key->type) {
        case KEY_STRING:
            return json_get_string(root, key->path, need, value, error);
        case KEY_SIZE:
            return json_get_size(root, key->path, need, (size_t)key->low, (size_t)key->high, value,
                                 error);
        case KEY_FLOAT:
            return json_get_float(root, key->path, need, (float)key->low, (float)key->high, value,
                                  error);
        case KEY_BOOL:
            return json_get_bool(root, key->path, need, value, error);
        case KEY_CHOICE:
            return read_choice(key, root, need, settings, error);
        case KEY_SIZES:
        case KEY_FLOATS:
            return read_list(key, root, need, settings, error);
        case KEY_STRINGS:
            return read_strings(key, root, need, settings, error);
        default:
            return MNEME_OK;
    }
}

/* A key that is missing gets its derived default, keeps what *settings has, or is refused. */
static mneme_status read_or_default(const struct key *key, const struct json_place *root,
                                    unsigned without, void *settings, mneme_error *error) {
    bool is_there = key->path != NULL && json_find(root->object, key->path) != NULL;
    if (!is_there && key->derived != NULL) set_number(key, default_of(key, settings), settings);
    if (key->path == NULL) return MNEME_OK;
    bool needed = key_has_value(key) && (key->flags & (KEY_MAY_LACK | without)) == 0 &&
                  key->derived == NULL && key_is_out_of_range(key, settings);
    if (needed && !is_there && key->documentation != NULL) {
        return json_refuse(root, key->path, error, "missing: %s", key->documentation);
    }
    return read_key(key, root, needed ? KEY_REQUIRED : KEY_OPTIONAL, settings, error);
}

mneme_status keys_read(const struct key_table *table, const struct json_place *root,
                       unsigned without, void *settings, mneme_error *error) {
    mneme_error all = {0}, one = {0};
    for (size_t i = 0; i < table->n; i++) {
        const struct key *key = &table->keys[i];
        if (key->type != KEY_OBJECT || key->path == NULL) {
            mneme_status status = read_or_default(key, root, without, settings, &one);
            if (!collect(status, &one, root->place, &all)) break;
            continue;
        }
        struct json_place object = {0};
        mneme_status status = json_get_object(root, key->path, KEY_OPTIONAL, &object, &one);
        if (!collect(status, &one, root->place, &all)) break;
        bool may_lack = (key->flags & KEY_MAY_LACK) != 0 || status != MNEME_OK;
        if (object.object == NULL && may_lack) i = object_end(table, i) - 1;
    }
    return collected(&all, error);
}

/* Whether row i is an object that the settings do not have. */
static bool is_absent(const struct key_table *table, size_t i, const void *settings) {
    const struct key *key = &table->keys[i];
    return key->type == KEY_OBJECT && key->path != NULL && (key->flags & KEY_MAY_LACK) != 0 &&
           count_of(settings, &table->keys[i + 1]) == 0;
}

mneme_status keys_check_ranges(const struct key_table *table, const char *place,
                               const void *settings, mneme_error *error) {
    const struct json_place root = {.place = place};
    for (size_t i = 0; i < table->n; i++) {
        const struct key *key = &table->keys[i];
        if (is_absent(table, i, settings)) i = object_end(table, i) - 1;
        if (key->type != KEY_SIZE && key->type != KEY_FLOAT) continue;
        if ((key->flags & KEY_MAY_LACK) != 0 && key_is_default(key, settings)) continue;
        if (!key_is_out_of_range(key, settings)) continue;
        if (key->type == KEY_SIZE) {
            return json_refuse_size(&root, key->path, (size_t)key->low, (size_t)key->high, error);
        }
        return json_refuse_float(&root, key->path, (float)key->low, (float)key->high, error);
    }
    return MNEME_OK;
}

static json_t *list_to_json(const struct key *key, const void *settings) {
    const size_t *sizes = value_of(settings, key);
    const float *floats = value_of(settings, key);
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < count_of(settings, key); i++) {
        json_t *member =
            key->type == KEY_SIZES ? json_integer((json_int_t)sizes[i]) : json_float(floats[i]);
        failed |= json_array_append_new(list, member);
    }
    if (failed == 0) return list;
    json_decref(list);
    return NULL;
}

static json_t *strings_to_json(const struct key_strings *strings) {
    if (strings->n == 1) return json_string(strings->texts[0]);
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < strings->n; i++) {
        failed |= json_array_append_new(list, json_string(strings->texts[i]));
    }
    if (failed == 0) return list;
    json_decref(list);
    return NULL;
}

static json_t *value_to_json(const struct key *key, const void *settings) {
    const void *value = value_of(settings, key);
    switch (key->type) {
        case KEY_STRING:
            return json_string(*(char *const *)value);
        case KEY_SIZE:
            return json_integer((json_int_t) * (const size_t *)value);
        case KEY_FLOAT:
            return json_float(*(const float *)value);
        case KEY_BOOL:
            return json_boolean(*(const bool *)value);
        case KEY_CHOICE:
            return json_string(key->names[*(const int *)value]);
        case KEY_STRINGS:
            return strings_to_json(value);
        default:
            return list_to_json(key, settings);
    }
}

static bool is_written(const struct key *key, const void *settings, unsigned without) {
    if (!key_has_value(key) || (key->flags & without) != 0) return false;
    bool terse =
        (key->flags & KEY_TERSE) != 0 || key->type == KEY_STRING || key->type == KEY_STRINGS;
    return !(terse && key_is_default(key, settings));
}

int keys_write(const struct key_table *table, const void *settings, unsigned without,
               json_t *object) {
    int failed = 0;
    for (size_t i = 0; i < table->n; i++) {
        const struct key *key = &table->keys[i];
        if (is_absent(table, i, settings)) i = object_end(table, i) - 1;
        if (!is_written(key, settings, without)) continue;
        failed |= json_put(object, key->path, value_to_json(key, settings));
    }
    return failed;
}

void keys_free(const struct key_table *table, void *settings) {
    for (size_t i = 0; i < table->n; i++) {
        const struct key *key = &table->keys[i];
        if (key->type == KEY_STRING) free(*(char **)value_at(settings, key));
        if (key->type == KEY_STRINGS) free_strings(strings_at(settings, key));
    }
}
