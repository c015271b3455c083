#include "compare/plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "compare/grid.h"
#include "recipe/recipe_file.h"
#include "recipe/recipe_load.h"
#include "recipe/recipe_overrides.h"

#define MAX_CELLS 512

/* Takes `override`, which may be NULL. */
static mneme_status append(struct plan_choice *choice, char *override, mneme_error *error) {
    char **more = realloc(choice->overrides, (choice->n_overrides + 1) * sizeof *more);
    if (more != NULL) choice->overrides = more;
    if (more == NULL || override == NULL) {
        free(override);
        return error_set_memory(error, "the plan");
    }
    more[choice->n_overrides++] = override;
    return MNEME_OK;
}

/* "PREFIXKEY=VALUE", the value as JSON; a learning rate as a list. */
static mneme_status add_override(struct plan_choice *choice, const char *prefix, const char *key,
                                 const json_t *value, mneme_error *error) {
    struct text text = {0};
    const bool as_list = prefix[0] != '\0' && strcmp(key, "lr") == 0;
    char *printed = json_print(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    text.failed = printed == NULL;
    text_add(&text, as_list ? "%s%s=[%s]" : "%s%s=%s", prefix, key, printed == NULL ? "" : printed);
    free(printed);
    return append(choice, text_take(&text), error);
}

static void free_choice(struct plan_choice *choice) {
    for (size_t i = 0; i < choice->n_overrides; i++) free(choice->overrides[i]);
    free(choice->overrides);
    free(choice->label);
}

/* A key of `finetune` itself, or of the cell's method. */
static mneme_status add_setting(struct plan_choice *cell, const struct method *method,
                                const char *key, const json_t *value, mneme_error *error) {
    char prefix[32] = "finetune.", path[128];
    snprintf(path, sizeof path, "finetune.%s", key);
    const struct key *common = key_find(&recipe_keys, path);
    if (common == NULL || !key_has_value(common)) {
        snprintf(prefix, sizeof prefix, "finetune.%s.", method->name);
    }
    return add_override(cell, prefix, key, value, error);
}

/* Only this cell's method is left in its recipe. */
static mneme_status leave_out_others(struct plan_choice *cell, const struct method *method,
                                     mneme_error *error) {
    for (size_t i = 0; i < N_METHODS; i++) {
        if (methods[i] == method) continue;
        TRY(add_override(cell, "finetune.", methods[i]->name, json_null(), error));
    }
    return MNEME_OK;
}

static mneme_status make_cell(const struct json_place *set, const struct grid *grid,
                              size_t combination, const struct method *method,
                              struct plan_choice *cell, mneme_error *error) {
    const char *key;
    json_t *value;
    cell->label = grid_label(grid, combination, true);
    if (cell->label == NULL) return error_set_memory(error, "the plan");
    TRY(leave_out_others(cell, method, error));
    json_object_foreach((json_t *)(uintptr_t)set->object, key, value) {
        TRY(add_setting(cell, method, key, value, error));
    }
    for (size_t i = 0; i < grid->n_keys; i++) {
        TRY(add_setting(cell, method, grid->keys[i], grid_value(grid, combination, i), error));
    }
    return MNEME_OK;
}

/* Room for n more cells, all {0}. */
static mneme_status grow(struct plan_series *series, size_t n, mneme_error *error) {
    struct plan_choice *more = realloc(series->cells, (series->n_cells + n) * sizeof *more);
    if (more == NULL) return error_set_memory(error, "the plan");
    memset(more + series->n_cells, 0, n * sizeof *more);
    series->cells = more;
    series->n_cells += n;
    return MNEME_OK;
}

/* Appends all cells of one grid. */
static mneme_status add_cells(const struct json_place *set, const struct json_place *at,
                              struct plan_series *series, mneme_error *error) {
    struct grid grid;
    size_t first = series->n_cells;
    TRY(grid_read(at, MAX_CELLS - first, &grid, error));
    TRY(grow(series, grid.n_combinations, error));
    for (size_t c = 0; c < grid.n_combinations; c++) {
        TRY(make_cell(set, &grid, c, series->method, &series->cells[first + c], error));
    }
    return MNEME_OK;
}

/* `grid` is one, or a list of them. */
static mneme_status read_grids(const struct json_place *at, struct plan_series *series,
                               mneme_error *error) {
    struct json_place set, grid;
    const json_t *list = json_object_get(at->object, "grid");
    TRY(json_get_object(at, "set", KEY_OPTIONAL, &set, error));
    if (!json_is_array(list)) {
        TRY(json_get_object(at, "grid", KEY_OPTIONAL, &grid, error));
        return add_cells(&set, &grid, series, error);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        grid = *at;
        grid.object = json_array_get(list, i);
        size_t used = strlen(grid.prefix);
        snprintf(grid.prefix + used, sizeof grid.prefix - used, "grid[%zu].", i);
        if (!json_is_object(grid.object)) {
            return json_refuse(at, "grid", error, "must be an object or a list of objects");
        }
        TRY(add_cells(&set, &grid, series, error));
    }
    return series->n_cells > 0 ? MNEME_OK : json_refuse(at, "grid", error, "is an empty list");
}

static mneme_status read_method(const struct json_place *at, const struct method **method,
                                mneme_error *error) {
    const char *names[N_METHODS];
    size_t index = 0;
    for (size_t i = 0; i < N_METHODS; i++) names[i] = methods[i]->name;
    TRY(json_get_choice(at, "method", KEY_REQUIRED, names, N_METHODS, &index, error));
    *method = methods[index];
    return MNEME_OK;
}

static mneme_status read_series(const json_t *object, const char *path, size_t index,
                                struct plan_series *series, mneme_error *error) {
    static const char *const known[] = {"name", "method", "set", "grid"};
    struct json_place at;
    TRY(json_place_root(object, path, &at, error));
    snprintf(at.prefix, sizeof at.prefix, "sweep.series[%zu].", index);
    TRY(json_check_keys(&at, known, sizeof known / sizeof *known, error));
    TRY(json_get_string(&at, "name", KEY_REQUIRED, &series->name, error));
    if (strpbrk(series->name, "\"'`|\n\\") != NULL) {
        return json_refuse(&at, "name", error, "must do without quotes and bars");
    }
    series->title = series->name;
    TRY(read_method(&at, &series->method, error));
    return read_grids(&at, series, error);
}

static mneme_status read_all_series(const struct json_place *sweep, struct plan *plan,
                                    mneme_error *error) {
    const json_t *list = json_object_get(sweep->object, "series");
    size_t n = json_array_size(list);
    if (n == 0 || n > PLAN_MAX_SERIES) {
        return json_refuse(sweep, "series", error, "must be a list of 1 to %d series",
                           PLAN_MAX_SERIES);
    }
    for (size_t i = 0; i < n; i++) {
        struct plan_series *series = &plan->series[plan->n_series++];
        TRY(read_series(json_array_get(list, i), sweep->place, i, series, error));
        for (size_t j = 0; j < i; j++) {
            if (strcmp(series->name, plan->series[j].name) != 0) continue;
            return json_refuse(sweep, "series", error, "two of them are called `%s`", series->name);
        }
    }
    return MNEME_OK;
}

static mneme_status read_variants(const struct json_place *sweep, struct plan *plan,
                                  mneme_error *error) {
    struct json_place at;
    struct grid grid;
    TRY(json_get_object(sweep, "vary", KEY_OPTIONAL, &at, error));
    TRY(grid_read(&at, PLAN_MAX_VARIANTS, &grid, error));
    for (size_t c = 0; c < grid.n_combinations; c++) {
        struct plan_variant *variant = &plan->variants[plan->n_variants++];
        variant->choice.label = grid_label(&grid, c, false);
        variant->folder = grid_folder(&grid, c);
        if (variant->choice.label == NULL || variant->folder == NULL) {
            return error_set_memory(error, "the plan");
        }
        for (size_t i = 0; i < grid.n_keys; i++) {
            TRY(add_override(&variant->choice, "", grid.keys[i], grid_value(&grid, c, i), error));
        }
    }
    return MNEME_OK;
}

static mneme_status read_levels(const struct json_place *sweep, struct plan *plan,
                                mneme_error *error) {
    float levels[PLAN_MAX_LEVELS] = {0.3f, 0.5f, 0.7f};
    plan->n_levels = 3;
    TRY(json_get_floats(sweep, "levels", KEY_OPTIONAL, 0.0f, 1.0f, levels, PLAN_MAX_LEVELS,
                        &plan->n_levels, error));
    for (size_t i = 0; i < plan->n_levels; i++) plan->levels[i] = (double)levels[i];
    return MNEME_OK;
}

static mneme_status read_sweep(const struct json_place *root, struct plan *plan,
                               mneme_error *error) {
    static const char *const known[] = {"vary", "series", "levels"};
    struct json_place sweep;
    TRY(json_get_object(root, "sweep", KEY_REQUIRED, &sweep, error));
    TRY(json_check_keys(&sweep, known, sizeof known / sizeof *known, error));
    TRY(read_levels(&sweep, plan, error));
    TRY(read_variants(&sweep, plan, error));
    return read_all_series(&sweep, plan, error);
}

/* A series per method of the recipe, with a cell per learning rate. */
static mneme_status add_methods(const struct recipe_finetune *finetune, struct plan *plan,
                                mneme_error *error) {
    for (size_t m = 0; m < N_METHODS; m++) {
        const struct recipe_rates *rates = method_rates(methods[m], finetune);
        if (!rates->enabled) continue;
        struct plan_series *series = &plan->series[plan->n_series++];
        series->method = methods[m];
        series->title = methods[m]->title;
        series->name = strdup(methods[m]->name);
        if (series->name == NULL) return error_set_memory(error, "the plan");
        TRY(grow(series, rates->n_lr, error));
        for (size_t i = 0; i < rates->n_lr; i++) {
            struct text label = {0};
            text_add(&label, "lr %.6g", (double)rates->lr[i]);
            series->cells[i].label = text_take(&label);
            if (series->cells[i].label == NULL) return error_set_memory(error, "the plan");
        }
    }
    return MNEME_OK;
}

static mneme_status read_run(struct plan *plan, mneme_error *error) {
    struct recipe recipe;
    struct plan_variant *variant = &plan->variants[plan->n_variants++];
    variant->folder = strdup("");
    variant->choice.label = strdup("");
    if (variant->folder == NULL || variant->choice.label == NULL) {
        return error_set_memory(error, "the plan");
    }
    TRY(recipe_from_json(plan->recipe, plan->path, &recipe, error));
    mneme_status status = add_methods(&recipe.finetune, plan, error);
    recipe_free(&recipe);
    return status;
}

static mneme_status read_plan(struct plan *plan, mneme_error *error) {
    struct json_place root;
    TRY(json_place_root(plan->recipe, plan->path, &root, error));
    TRY(json_get_string(&root, "name", KEY_REQUIRED, &plan->name, error));
    return plan->kind == PLAN_RUN ? read_run(plan, error) : read_sweep(&root, plan, error);
}

mneme_status plan_load(enum plan_kind kind, const char *path, const char *const *overrides,
                       size_t n_overrides, struct plan *plan, mneme_error *error) {
    json_t *recipe;
    *plan = (struct plan){0};
    TRY(recipe_file_read(path, overrides, n_overrides, &recipe, error));
    return plan_from_json(kind, path, recipe, plan, error);
}

mneme_status plan_from_json(enum plan_kind kind, const char *path, json_t *recipe,
                            struct plan *plan, mneme_error *error) {
    *plan = (struct plan){.kind = kind, .path = path, .recipe = recipe};
    mneme_status status = read_plan(plan, error);
    if (status != MNEME_OK) plan_free(plan);
    return status;
}

void plan_free(struct plan *plan) {
    for (size_t i = 0; i < plan->n_variants; i++) {
        free_choice(&plan->variants[i].choice);
        free(plan->variants[i].folder);
    }
    for (size_t i = 0; i < plan->n_series; i++) {
        struct plan_series *series = &plan->series[i];
        for (size_t c = 0; c < series->n_cells; c++) free_choice(&series->cells[c]);
        free(series->cells);
        free(series->name);
    }
    free(plan->name);
    json_decref(plan->recipe);
    *plan = (struct plan){0};
}

static mneme_status apply(const struct plan_choice *choice, json_t *recipe, mneme_error *error) {
    return recipe_override(recipe, (const char *const *)choice->overrides, choice->n_overrides,
                           error);
}

/* The recipe of a cell. */
static mneme_status read_cell(const struct plan *plan, const struct plan_choice *variant,
                              const struct plan_choice *cell, struct recipe *recipe,
                              mneme_error *error) {
    json_t *object = json_deep_copy(plan->recipe);
    if (object == NULL) return error_set_memory(error, "the plan");
    mneme_status status = apply(variant, object, error);
    THEN(apply(cell, object, error));
    THEN(recipe_from_json(object, plan->path, recipe, error));
    json_decref(object);
    return status;
}

mneme_status plan_settings(const struct plan *plan, size_t variant, size_t series, size_t cell,
                           struct recipe_finetune *settings, mneme_error *error) {
    const struct plan_series *of = &plan->series[series];
    struct recipe recipe;
    TRY(read_cell(plan, &plan->variants[variant].choice, &of->cells[cell], &recipe, error));
    *settings = recipe.finetune;
    recipe_free(&recipe);
    const struct recipe_rates *rates = method_rates(of->method, settings);
    if (plan->kind == PLAN_RUN) {
        method_choose(of->method, rates->lr[cell], settings);
    } else if (rates->n_lr != 1) {
        return error_set(error, MNEME_BAD_INPUT, "%s: sweep.series `%s`: has no single `lr`",
                         plan->path, of->name);
    }
    return MNEME_OK;
}

size_t plan_n_cells(const struct plan *plan) {
    size_t n = 0;
    for (size_t s = 0; s < plan->n_series; s++) n += plan->series[s].n_cells;
    return n;
}

const char **plan_overrides(size_t n, const char *const *overrides,
                            const struct plan_choice *variant) {
    const char **all = calloc(n + variant->n_overrides + 1, sizeof *all);
    if (all == NULL) return NULL;
    for (size_t i = 0; i < n; i++) all[i] = overrides[i];
    for (size_t i = 0; i < variant->n_overrides; i++) all[n + i] = variant->overrides[i];
    return all;
}
