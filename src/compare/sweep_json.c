#include "compare/sweep_json.h"

#include <stdlib.h>

#include <jansson.h>

#include <mneme/version.h>

#include "base/report_file.h"
#include "run/machine.h"

/* jansson takes NULL for any value and then fails, so that one check at the end is enough. */

static json_t *range_to_json(const struct seed_range *range) {
    if (range->n == 0) return json_null();
    json_t *o = json_object();
    json_object_set_new(o, "mean", json_real(range->mean));
    json_object_set_new(o, "least", json_real(range->least));
    json_object_set_new(o, "most", json_real(range->most));
    json_object_set_new(o, "seeds", json_integer((json_int_t)range->n));
    return o;
}

static json_t *row_to_json(const struct sweep_result *result, const struct sweep_row *row,
                           double common) {
    char name[128];
    sweep_row_name(result, row, name, sizeof name);
    json_t *o = json_object(), *levels = json_array();
    struct seed_range best = sweep_best_new(result, row), there = sweep_lost_at_best(result, row);
    struct seed_range lost = sweep_lost_at(result, row, common);
    struct seed_range seconds = sweep_seconds(result, row);
    json_object_set_new(o, "name", json_string(name));
    json_object_set_new(o, "best_new_f1", range_to_json(&best));
    json_object_set_new(o, "known_lost_percent_at_best", range_to_json(&there));
    json_object_set_new(o, "known_lost_percent_at_common_level", range_to_json(&lost));
    for (size_t i = 0; i < result->plan->n_levels; i++) {
        struct seed_range at = sweep_lost_at(result, row, result->plan->levels[i]);
        json_t *level = json_object();
        json_object_set_new(level, "new_f1", json_real(result->plan->levels[i]));
        json_object_set_new(level, "known_lost_percent", range_to_json(&at));
        json_array_append_new(levels, level);
    }
    json_object_set_new(o, "levels", levels);
    json_object_set_new(o, "seconds_per_lesson", range_to_json(&seconds));
    return o;
}

static json_t *cell_to_json(const struct sweep_result *result, size_t v, size_t s, size_t c) {
    const struct sweep_series *series = &result->plan->series[s];
    const struct sweep_cell *cell = &result->cells[v][s][c];
    json_t *o = json_object(), *settings = json_array();
    json_object_set_new(o, "run_folder", json_string(result->plan->variants[v].folder));
    json_object_set_new(o, "series", json_string(series->name));
    json_object_set_new(o, "method", json_string(method_name(series->method)));
    json_object_set_new(o, "label", json_string(series->cells[c].label));
    for (size_t i = 0; i < series->cells[c].n_overrides; i++) {
        json_array_append_new(settings, json_string(series->cells[c].overrides[i]));
    }
    json_object_set_new(o, "settings", settings);
    scores_to_json(&cell->run.scores, o);
    json_object_set_new(o, "known_lost_percent",
                        json_real(selection_drop_percent(result->base[v].scores.known_f1,
                                                         cell->run.scores.known_f1)));
    json_object_set_new(o, "front", json_boolean(sweep_on_front(result, v, s, c)));
    json_object_set_new(o, "diverged", json_boolean(cell->run.diverged));
    json_object_set_new(o, "trainable_parameters",
                        json_integer((json_int_t)cell->run.trainable_parameters));
    json_object_set_new(o, "steps", json_integer((json_int_t)cell->run.steps));
    json_object_set_new(o, "seconds", json_real(cell->run.seconds));
    json_object_set_new(o, "folder", json_string(cell->folder));
    json_object_set_new(o, "digest", json_string(cell->run.digest.hex));
    return o;
}

static json_t *bases_to_json(const struct sweep_result *result) {
    json_t *bases = json_array();
    for (size_t v = 0; v < result->plan->n_variants; v++) {
        json_t *base = json_object();
        json_object_set_new(base, "run_folder", json_string(result->plan->variants[v].folder));
        scores_to_json(&result->base[v].scores, base);
        json_object_set_new(base, "digest", json_string(result->base[v].digest.hex));
        json_array_append_new(bases, base);
    }
    return bases;
}

static json_t *sweep_to_json(const struct sweep_result *result) {
    const struct sweep_plan *plan = result->plan;
    size_t n;
    struct sweep_row *rows = sweep_rows(result, &n);
    if (rows == NULL) return NULL;
    double level = sweep_common_level(result);
    json_t *root = json_object(), *comparison = json_array(), *cells = json_array();
    json_object_set_new(root, "recipe", json_string(plan->name));
    json_object_set_new(root, "canonical", json_boolean(result->mark[0] == '\0'));
    if (result->mark[0] != '\0') json_object_set_new(root, "matmul", json_string(result->mark));
    json_object_set_new(root, "contract", json_integer(MNEME_CONTRACT_VERSION));
    json_object_set_new(root, "result", json_string(result->digest.hex));
    json_object_set_new(root, "lessons", json_integer((json_int_t)result->n_lessons));
    json_object_set_new(root, "bases", bases_to_json(result));
    json_object_set_new(root, "common_level", json_real(level));
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(comparison, row_to_json(result, &rows[i], level));
    }
    json_object_set_new(root, "rows", comparison);
    for (size_t v = 0; v < plan->n_variants; v++) {
        for (size_t s = 0; s < plan->n_series; s++) {
            for (size_t c = 0; c < plan->series[s].n_cells; c++) {
                json_array_append_new(cells, cell_to_json(result, v, s, c));
            }
        }
    }
    json_object_set_new(root, "cells", cells);
    json_object_set_new(root, "machine", machine_to_json());
    free(rows);
    return root;
}

mneme_status sweep_json_write(const struct sweep_result *result, const char *directory,
                              mneme_error *error) {
    return report_file_json(directory, "sweep.json", sweep_to_json(result), error);
}
