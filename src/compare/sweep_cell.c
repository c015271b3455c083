#include "compare/sweep_cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "run/background_stage.h"

#define ID_LENGTH 12
#define MAX_CELL_BYTES ((size_t)1 << 20)

/* The overrides one after the other; the list alone is the caller's. NULL without memory. */
static const char **join_overrides(const mneme_run_options *options,
                                   const struct sweep_variant *variant,
                                   const struct sweep_choice *cell, size_t *n) {
    size_t of_variant = variant->choice.n_overrides;
    const char **all =
        calloc(options->n_overrides + of_variant + cell->n_overrides + 1, sizeof *all);
    *n = 0;
    if (all == NULL) return NULL;
    for (size_t i = 0; i < options->n_overrides; i++) all[(*n)++] = options->overrides[i];
    for (size_t i = 0; i < of_variant; i++) all[(*n)++] = variant->choice.overrides[i];
    for (size_t i = 0; i < cell->n_overrides; i++) all[(*n)++] = cell->overrides[i];
    return all;
}

/* The experiment's recipe takes the finetuning that the cell asks for. */
static mneme_status choose_settings(struct experiment *experiment, const mneme_run_options *options,
                                    const struct sweep_variant *variant,
                                    const struct sweep_choice *cell, mneme_error *error) {
    struct recipe recipe;
    size_t n;
    const char **overrides = join_overrides(options, variant, cell, &n);
    if (overrides == NULL) return error_set_memory(error, "the sweep");
    mneme_status status = recipe_load(options->recipe, overrides, n, &recipe, error);
    free(overrides);
    if (status != MNEME_OK) return status;
    experiment->recipe.finetune = recipe.finetune;
    recipe_free(&recipe);
    return MNEME_OK;
}

/* All that decides the cell's numbers; how often it is looked at does not. */
static json_t *describe(const struct recipe *recipe) {
    json_t *whole = recipe_to_json(recipe), *settings = json_object();
    json_t *finetune = json_object_get(whole, "finetune");
    json_object_del(finetune, "evaluate_every");
    json_object_del(finetune, "stream_questions");
    int failed = json_object_set(settings, "finetune", finetune);
    if (recipe->matmul != MATMUL_CANONICAL) {
        failed |= json_object_set(settings, "matmul", json_object_get(whole, "matmul"));
    }
    json_decref(whole);
    if (failed == 0) return settings;
    json_decref(settings);
    return NULL;
}

static char *cell_folder(const struct experiment *experiment, const json_t *settings,
                         enum method method) {
    char *text = json_print(settings, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    struct digest digest;
    mneme_error error;
    bool failed = text == NULL || digest_of_bytes(text, strlen(text), &digest, &error) != MNEME_OK;
    free(text);
    return failed ? NULL
                  : experiment_path(experiment, "cells/%s-%.*s", method_name(method), ID_LENGTH,
                                    digest.hex);
}

/* cell.json says what the folder is of; another cell of the same ID would be refused. */
static mneme_status sign(const char *folder, json_t *settings, mneme_error *error) {
    char *path = path_join(folder, "cell.json");
    json_t *found = NULL;
    mneme_status status = path == NULL ? error_set_memory(error, "a path") : MNEME_OK;
    if (status == MNEME_OK && file_exists(path)) {
        status = json_read_file(path, MAX_CELL_BYTES, &found, error);
        if (status == MNEME_OK && !json_equal(found, settings)) {
            status =
                error_set(error, MNEME_BAD_INPUT, "%s: holds other settings than it should", path);
        }
    } else if (status == MNEME_OK) {
        status = directory_make(folder, error);
        if (status == MNEME_OK) status = json_write_file(path, settings, error);
    }
    json_decref(found);
    free(path);
    return status;
}

/* A cell that was run without evaluations along the stream is run again when they are wanted. */
static mneme_status forget_without_stream(const struct experiment *experiment, const char *folder,
                                          mneme_error *error) {
    if (experiment->recipe.finetune.evaluate_every == 0) return MNEME_OK;
    char *stream = path_join(folder, "stream.jsonl"), *scores = path_join(folder, "scores.json");
    mneme_status status =
        stream == NULL || scores == NULL ? error_set_memory(error, "a path") : MNEME_OK;
    if (status == MNEME_OK && !file_exists(stream)) remove(scores);
    free(stream);
    free(scores);
    return status;
}

static mneme_status run(struct experiment *experiment, const struct stage *stage,
                        const char *folder, struct scored_run *found, mneme_error *error) {
    struct background background = {0};
    char *scores = path_join(folder, "scores.json");
    mneme_status status = scores == NULL ? error_set_memory(error, "a path") : MNEME_OK;
    if (status == MNEME_OK && stage->method == METHOD_SMF && !file_exists(scores)) {
        experiment_restore_base(experiment);
        status = background_stage_run(experiment, &background, error);
    }
    if (status == MNEME_OK) {
        status = scored_run_finetuning(experiment, stage, &background, folder, false, found, error);
    }
    background_close(&background);
    free(scores);
    return status;
}

mneme_status sweep_cell_run(struct experiment *experiment, const mneme_run_options *options,
                            const struct sweep_variant *variant, const struct sweep_series *series,
                            size_t number, struct sweep_cell *cell, mneme_error *error) {
    const struct sweep_choice *choice = &series->cells[number];
    *cell = (struct sweep_cell){0};
    mneme_status status = choose_settings(experiment, options, variant, choice, error);
    if (status != MNEME_OK) return status;
    const struct recipe_rates *method = method_recipe(&experiment->recipe, series->method);
    if (method->n_lr != 1) {
        return error_set(error, MNEME_BAD_INPUT, "%s: sweep.series `%s`: has no single `lr`",
                         options->recipe, series->name);
    }
    struct stage stage = stage_finetuning(series->method, method->lr[0]);
    snprintf(stage.name, sizeof stage.name, "%.20s: %.24s", series->name, choice->label);
    json_t *settings = describe(&experiment->recipe);
    cell->folder = settings == NULL ? NULL : cell_folder(experiment, settings, series->method);
    status = cell->folder == NULL ? error_set_memory(error, "the sweep")
                                  : sign(cell->folder, settings, error);
    if (status == MNEME_OK) status = forget_without_stream(experiment, cell->folder, error);
    if (status == MNEME_OK) status = run(experiment, &stage, cell->folder, &cell->run, error);
    json_decref(settings);
    return status;
}

void sweep_cell_free(struct sweep_cell *cell) {
    free(cell->folder);
    *cell = (struct sweep_cell){0};
}
