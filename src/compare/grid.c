#include "compare/grid.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/text.h"

mneme_status grid_read(const struct json_place *at, size_t most, struct grid *grid,
                       mneme_error *error) {
    *grid = (struct grid){.n_combinations = 1};
    if (at->object == NULL) return MNEME_OK;
    const char *key;
    json_t *values;
    json_object_foreach((json_t *)(uintptr_t)at->object, key, values) {
        size_t n = json_array_size(values);
        if (n == 0) return json_refuse(at, key, error, "must be a list of values, not empty");
        if (grid->n_keys == GRID_MAX_KEYS) {
            return json_refuse(at, key, error, "is one key too many; %d can vary", GRID_MAX_KEYS);
        }
        if (grid->n_combinations * n > most) {
            return json_refuse(at, key, error, "makes more than %zu combinations", most);
        }
        grid->keys[grid->n_keys] = key;
        grid->values[grid->n_keys++] = values;
        grid->n_combinations *= n;
    }
    return MNEME_OK;
}

const json_t *grid_value(const struct grid *grid, size_t combination, size_t key) {
    for (size_t i = grid->n_keys; i-- > key + 1;) combination /= json_array_size(grid->values[i]);
    return json_array_get(grid->values[key], combination % json_array_size(grid->values[key]));
}

/* Adds "KEY BETWEEN VALUE" for people: the key's last part, a string without quotes. */
static void add_choice(struct text *text, const struct grid *grid, size_t combination, size_t key,
                       const char *between) {
    const char *dot = strrchr(grid->keys[key], '.');
    const json_t *value = grid_value(grid, combination, key);
    text_add(text, "%s%s", dot == NULL ? grid->keys[key] : dot + 1, between);
    if (json_is_string(value)) {
        text_add(text, "%s", json_string_value(value));
    } else if (json_is_real(value)) {
        text_add(text, "%.6g", json_real_value(value));
    } else {
        char *printed = json_print(value, JSON_ENCODE_ANY | JSON_COMPACT);
        text->failed |= printed == NULL;
        text_add(text, "%s", printed == NULL ? "" : printed);
        free(printed);
    }
}

char *grid_label(const struct grid *grid, size_t combination, bool all) {
    struct text text = {0};
    text_add(&text, "%s", "");
    for (size_t i = 0; i < grid->n_keys; i++) {
        if (strcmp(grid->keys[i], "seed") == 0) continue;
        if (!all && json_array_size(grid->values[i]) == 1) continue;
        if (text.length > 0) text_add(&text, ", ");
        add_choice(&text, grid, combination, i, " ");
    }
    return text_take(&text);
}

char *grid_folder(const struct grid *grid, size_t combination) {
    struct text text = {0};
    text_add(&text, "%s", "");
    for (size_t i = 0; i < grid->n_keys; i++) {
        if (i > 0) text_add(&text, "_");
        add_choice(&text, grid, combination, i, "-");
    }
    char *folder = text_take(&text);
    for (char *c = folder; c != NULL && *c != '\0'; c++) {
        if (strchr("/[],: {}\"", *c) != NULL) *c = '-';
    }
    return folder;
}
