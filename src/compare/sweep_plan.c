#include "compare/sweep_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "recipe/recipe_file.h"
#include "recipe/recipe_overrides.h"

#define MAX_CELLS 512
#define MAX_KEYS 8

/* Lists of values, one per key, of which all combinations are wanted. */
struct grid {
    const char *keys[MAX_KEYS];
    const json_t *values[MAX_KEYS];
    size_t n_keys;
    size_t n_combinations;
};

/* Fills *grid from the object at `at`, whose keys have lists of values. */
static mneme_status read_grid(const struct json_place *at, size_t most, struct grid *grid,
                              mneme_error *error) {
    *grid = (struct grid){.n_combinations = 1};
    if (at->object == NULL) return MNEME_OK;
    const char *key;
    json_t *values;
    json_object_foreach((json_t *)(uintptr_t)at->object, key, values) {
        size_t n = json_array_size(values);
        if (n == 0) return json_refuse(at, key, error, "must be a list of values, not empty");
        if (grid->n_keys == MAX_KEYS) {
            return json_refuse(at, key, error, "is one key too many; %d can vary", MAX_KEYS);
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

/* Value number `combination` of a key, the first key varying slowest. */
static const json_t *value_of(const struct grid *grid, size_t combination, size_t key) {
    for (size_t i = grid->n_keys; i-- > key + 1;) combination /= json_array_size(grid->values[i]);
    return json_array_get(grid->values[key], combination % json_array_size(grid->values[key]));
}

/* A value as JSON; for people without quotes. NULL without memory. */
static char *print_value(const json_t *value, bool for_people) {
    if (for_people && json_is_string(value)) return strdup(json_string_value(value));
    if (for_people && json_is_real(value)) {
        struct text text = {0};
        text_add(&text, "%.6g", json_real_value(value));
        return text_take(&text);
    }
    return json_print(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
}

static mneme_status add_override(struct sweep_choice *choice, const char *prefix, const char *key,
                                 const json_t *value, bool as_list, mneme_error *error) {
    struct text text = {0};
    char *printed = print_value(value, false);
    text_add(&text, as_list ? "%s%s=[%s]" : "%s%s=%s", prefix, key, printed == NULL ? "" : printed);
    char **more = realloc(choice->overrides, (choice->n_overrides + 1) * sizeof *more);
    if (more != NULL) {
        choice->overrides = more;
        more[choice->n_overrides++] = text_take(&text);
    } else {
        free(text_take(&text));
    }
    bool failed = printed == NULL || more == NULL || more[choice->n_overrides - 1] == NULL;
    free(printed);
    return failed ? error_set_memory(error, "the sweep") : MNEME_OK;
}

static void free_choice(struct sweep_choice *choice) {
    for (size_t i = 0; i < choice->n_overrides; i++) free(choice->overrides[i]);
    free(choice->overrides);
    free(choice->label);
}

/* The last part of a dotted key. */
static const char *short_key(const char *key) {
    const char *dot = strrchr(key, '.');
    return dot == NULL ? key : dot + 1;
}

/* "t 30, lr 100" of the keys that have more than one value, without the seed. */
static char *make_label(const struct grid *grid, size_t combination, bool all) {
    struct text text = {0};
    text_add(&text, "%s", "");
    for (size_t i = 0; i < grid->n_keys; i++) {
        if (strcmp(grid->keys[i], "seed") == 0) continue;
        if (!all && json_array_size(grid->values[i]) == 1) continue;
        char *value = print_value(value_of(grid, combination, i), true);
        text_add(&text, "%s%s %s", text.length > 0 ? ", " : "", short_key(grid->keys[i]),
                 value == NULL ? "" : value);
        free(value);
    }
    return text_take(&text);
}

/* Keys of finetune itself; all others are a method's. */
static bool is_common_key(const char *key) {
    static const char *const common[] = {"paraphrases", "steps_per_fact", "digest_every",
                                         "evaluate_every", "stream_questions"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        if (strcmp(common[i], key) == 0) return true;
    }
    return false;
}

static mneme_status add_setting(struct sweep_choice *cell, enum method method, const char *key,
                                const json_t *value, mneme_error *error) {
    char prefix[32];
    snprintf(prefix, sizeof prefix, "finetune.%s%s", is_common_key(key) ? "" : method_name(method),
             is_common_key(key) ? "" : ".");
    return add_override(cell, prefix, key, value, strcmp(key, "lr") == 0, error);
}

/* Only this cell's method is left in its recipe. */
static mneme_status leave_out_others(struct sweep_choice *cell, enum method method,
                                     mneme_error *error) {
    mneme_status status = MNEME_OK;
    for (enum method other = METHOD_FULL; other < METHOD_COUNT && status == MNEME_OK; other++) {
        if (other == method) continue;
        status = add_override(cell, "finetune.", method_name(other), json_null(), false, error);
    }
    return status;
}

static mneme_status make_cell(const struct json_place *set, const struct grid *grid,
                              size_t combination, enum method method, struct sweep_choice *cell,
                              mneme_error *error) {
    cell->label = make_label(grid, combination, true);
    mneme_status status = cell->label == NULL ? error_set_memory(error, "the sweep")
                                              : leave_out_others(cell, method, error);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)set->object, key, value) {
        if (status != MNEME_OK) return status;
        status = add_setting(cell, method, key, value, error);
    }
    for (size_t i = 0; i < grid->n_keys && status == MNEME_OK; i++) {
        status = add_setting(cell, method, grid->keys[i], value_of(grid, combination, i), error);
    }
    return status;
}

/* Appends all cells of one grid. */
static mneme_status add_cells(const struct json_place *set, const struct json_place *at,
                              struct sweep_series *series, mneme_error *error) {
    struct grid grid;
    mneme_status status = read_grid(at, MAX_CELLS - series->n_cells, &grid, error);
    if (status != MNEME_OK) return status;
    struct sweep_choice *more =
        realloc(series->cells, (series->n_cells + grid.n_combinations) * sizeof *more);
    if (more == NULL) return error_set_memory(error, "the sweep");
    series->cells = more;
    for (size_t c = 0; c < grid.n_combinations && status == MNEME_OK; c++) {
        struct sweep_choice *cell = &series->cells[series->n_cells++];
        *cell = (struct sweep_choice){0};
        status = make_cell(set, &grid, c, series->method, cell, error);
    }
    return status;
}

/* `grid` is one, or a list of them. */
static mneme_status read_grids(const struct json_place *at, struct sweep_series *series,
                               mneme_error *error) {
    struct json_place set, grid;
    const json_t *list = json_object_get(at->object, "grid");
    mneme_status status = json_get_object(at, "set", KEY_OPTIONAL, &set, error);
    if (status != MNEME_OK) return status;
    if (!json_is_array(list)) {
        status = json_get_object(at, "grid", KEY_OPTIONAL, &grid, error);
        return status == MNEME_OK ? add_cells(&set, &grid, series, error) : status;
    }
    for (size_t i = 0; i < json_array_size(list) && status == MNEME_OK; i++) {
        grid = *at;
        grid.object = json_array_get(list, i);
        size_t used = strlen(grid.prefix);
        snprintf(grid.prefix + used, sizeof grid.prefix - used, "grid[%zu].", i);
        if (!json_is_object(grid.object)) {
            return json_refuse(at, "grid", error, "must be an object or a list of objects");
        }
        status = add_cells(&set, &grid, series, error);
    }
    if (status == MNEME_OK && series->n_cells == 0) {
        return json_refuse(at, "grid", error, "is an empty list");
    }
    return status;
}

static mneme_status read_series(const json_t *object, const char *path, size_t index,
                                struct sweep_series *series, mneme_error *error) {
    static const char *const known[] = {"name", "method", "set", "grid"};
    static const char *const methods[METHOD_COUNT] = {"full", "lora", "smf"};
    struct json_place at;
    size_t method = 0;
    mneme_status status = json_place_root(object, path, &at, error);
    if (status != MNEME_OK) return status;
    snprintf(at.prefix, sizeof at.prefix, "sweep.series[%zu].", index);
    status = json_check_keys(&at, known, sizeof known / sizeof *known, error);
    if (status == MNEME_OK) {
        status = json_get_string(&at, "name", KEY_REQUIRED, &series->name, error);
    }
    if (status == MNEME_OK && strpbrk(series->name, "\"'`|\n\\") != NULL) {
        status = json_refuse(&at, "name", error, "must do without quotes and bars");
    }
    if (status == MNEME_OK) {
        status =
            json_get_choice(&at, "method", KEY_REQUIRED, methods, METHOD_COUNT, &method, error);
    }
    series->method = (enum method)method;
    return status == MNEME_OK ? read_grids(&at, series, error) : status;
}

static mneme_status read_all_series(const struct json_place *sweep, struct sweep_plan *plan,
                                    mneme_error *error) {
    const json_t *list = json_object_get(sweep->object, "series");
    size_t n = json_array_size(list);
    if (n == 0 || n > SWEEP_MAX_SERIES) {
        return json_refuse(sweep, "series", error, "must be a list of 1 to %d series",
                           SWEEP_MAX_SERIES);
    }
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n && status == MNEME_OK; i++) {
        status = read_series(json_array_get(list, i), sweep->place, i,
                             &plan->series[plan->n_series++], error);
        for (size_t j = 0; j < i && status == MNEME_OK; j++) {
            if (strcmp(plan->series[i].name, plan->series[j].name) != 0) continue;
            status = json_refuse(sweep, "series", error, "two of them are called `%s`",
                                 plan->series[i].name);
        }
    }
    return status;
}

/* A name of its own for the run folder: "n_keys-64_seed-1". */
static char *variant_folder(const struct grid *grid, size_t combination) {
    struct text text = {0};
    text_add(&text, "%s", "");
    for (size_t i = 0; i < grid->n_keys; i++) {
        char *value = print_value(value_of(grid, combination, i), true);
        for (char *c = value; c != NULL && *c != '\0'; c++) {
            if (strchr("/[],: {}\"", *c) != NULL) *c = '-';
        }
        text_add(&text, "%s%s-%s", i > 0 ? "_" : "", short_key(grid->keys[i]),
                 value == NULL ? "" : value);
        free(value);
    }
    return text_take(&text);
}

static mneme_status read_variants(const struct json_place *sweep, struct sweep_plan *plan,
                                  mneme_error *error) {
    struct json_place at;
    struct grid grid;
    mneme_status status = json_get_object(sweep, "vary", KEY_OPTIONAL, &at, error);
    if (status == MNEME_OK) status = read_grid(&at, SWEEP_MAX_VARIANTS, &grid, error);
    for (size_t c = 0; status == MNEME_OK && c < grid.n_combinations; c++) {
        struct sweep_variant *variant = &plan->variants[plan->n_variants++];
        variant->choice.label = make_label(&grid, c, false);
        variant->folder = variant_folder(&grid, c);
        if (variant->choice.label == NULL || variant->folder == NULL) {
            status = error_set_memory(error, "the sweep");
        }
        for (size_t i = 0; i < grid.n_keys && status == MNEME_OK; i++) {
            status = add_override(&variant->choice, "", grid.keys[i], value_of(&grid, c, i), false,
                                  error);
        }
    }
    return status;
}

static mneme_status read_levels(const struct json_place *sweep, struct sweep_plan *plan,
                                mneme_error *error) {
    float levels[SWEEP_MAX_LEVELS] = {0.3f, 0.5f, 0.7f};
    plan->n_levels = 3;
    mneme_status status = json_get_floats(sweep, "levels", KEY_OPTIONAL, 0.0f, 1.0f, levels,
                                          SWEEP_MAX_LEVELS, &plan->n_levels, error);
    for (size_t i = 0; i < plan->n_levels; i++) plan->levels[i] = (double)levels[i];
    return status;
}

static mneme_status read_plan(const json_t *recipe, const char *path, struct sweep_plan *plan,
                              mneme_error *error) {
    static const char *const known[] = {"vary", "series", "levels"};
    struct json_place root, sweep;
    mneme_status status = json_place_root(recipe, path, &root, error);
    if (status == MNEME_OK) {
        status = json_get_string(&root, "name", KEY_REQUIRED, &plan->name, error);
    }
    if (status == MNEME_OK) status = json_get_object(&root, "sweep", KEY_REQUIRED, &sweep, error);
    if (status == MNEME_OK) {
        status = json_check_keys(&sweep, known, sizeof known / sizeof *known, error);
    }
    if (status == MNEME_OK) status = read_levels(&sweep, plan, error);
    if (status == MNEME_OK) status = read_variants(&sweep, plan, error);
    return status == MNEME_OK ? read_all_series(&sweep, plan, error) : status;
}

mneme_status sweep_plan_load(const char *path, const char *const *overrides, size_t n_overrides,
                             struct sweep_plan *plan, mneme_error *error) {
    json_t *recipe = NULL;
    *plan = (struct sweep_plan){0};
    mneme_status status = recipe_file_read(path, &recipe, error);
    if (status == MNEME_OK) status = recipe_override(recipe, overrides, n_overrides, error);
    if (status == MNEME_OK) status = read_plan(recipe, path, plan, error);
    json_decref(recipe);
    if (status != MNEME_OK) sweep_plan_free(plan);
    return status;
}

void sweep_plan_free(struct sweep_plan *plan) {
    for (size_t i = 0; i < plan->n_variants; i++) {
        free_choice(&plan->variants[i].choice);
        free(plan->variants[i].folder);
    }
    for (size_t i = 0; i < plan->n_series; i++) {
        struct sweep_series *series = &plan->series[i];
        for (size_t c = 0; c < series->n_cells; c++) free_choice(&series->cells[c]);
        free(series->cells);
        free(series->name);
    }
    free(plan->name);
    *plan = (struct sweep_plan){0};
}
