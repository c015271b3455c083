#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "folder/folder.h"
#include "nn/matmul_backend.h"
#include "recipe/recipe_load.h"
#include "run/background_stage.h"
#include "run/model_folder.h"
#include "run/replay.h"
#include "verify/verifying.h"

static const char background_name[] = "background";

static bool counts_are_equal(const struct background *a, const struct background *b) {
    size_t n = a->n_slots;
    return a->n_batches == b->n_batches &&
           memcmp(a->batches_reading, b->batches_reading, n * sizeof *a->batches_reading) == 0 &&
           memcmp(a->reads, b->reads, n * sizeof *a->reads) == 0;
}

/* The background has no steps: it is counted anew and compared as a whole. */
static mneme_status compare_background(struct verifying *v, const char *path, mneme_error *error) {
    struct background recorded = {0}, found = {0};
    struct experiment *e = &v->experiment;
    mneme_status status = model_folder_load(e, e->base_folder, error);
    THEN(background_stage_load(e, &recorded, error));
    THEN(background_stage_count(e, &found, error));
    v->stage->last = found.n_batches;
    if (status == MNEME_OK && !counts_are_equal(&found, &recorded)) {
        status = verifying_differ(v, path + strlen(v->directory.text) + 1, 0, "what it holds",
                                  "other counts", error);
    }
    background_close(&recorded);
    background_close(&found);
    return status;
}

/* Of one kind, if it is there or should be. */
static mneme_status verify_background(struct verifying *v, enum background_source kind,
                                      mneme_error *error) {
    struct recipe_finetune *finetune = &v->experiment.recipe.finetune;
    const enum background_source own = finetune->smf.background;
    const bool needed = kind == own && v->is_whole && method_background_needed(finetune);
    finetune->smf.background = kind;
    struct path path = background_stage_path(v->directory.text, finetune);
    mneme_status status = MNEME_OK;
    if (needed || file_exists(path.text)) {
        status = verifying_begin(v, background_name, error);
        THEN(compare_background(v, path.text, error));
    }
    finetune->smf.background = own;
    return status;
}

static mneme_status verify_backgrounds(struct verifying *v, mneme_error *error) {
    if (!verifying_wants(v, background_name)) return MNEME_OK;
    if (v->experiment.recipe.model.memory.n_layers == 0) return MNEME_OK;
    TRY(verify_background(v, BACKGROUND_PRETRAINING, error));
    return verify_background(v, BACKGROUND_KNOWN, error);
}

/* Whether `mneme run` filled the folder; a sweep alone has cells in it. */
static bool has_finetunings(const struct verifying *v) {
    return file_is_directory(path_in(v->directory.text, FOLDER_FINETUNE).text) ||
           !file_is_directory(path_in(v->directory.text, FOLDER_CELLS).text);
}

/* The background comes after the pretraining. */
static mneme_status verify_stages(struct verifying *v, const struct stage *stages, size_t n,
                                  mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && !has_finetunings(v)) continue;
        struct path folder = stage_folder(v->directory.text, &stages[i]);
        TRY(verify_stage(v, &stages[i], stages[i].name, folder.text, error));
        if (i == 0) TRY(verify_backgrounds(v, error));
    }
    return MNEME_OK;
}

static mneme_status verify_opened(struct verifying *v, mneme_error *error) {
    size_t n;
    struct stage *stages = stage_list(&v->experiment.recipe, &n);
    mneme_status status = stages == NULL ? error_set_memory(error, "the stages") : MNEME_OK;
    THEN(verify_tokenizer(v, error));
    THEN(verify_stages(v, stages, n, error));
    THEN(verify_others(v, error));
    THEN(verify_cells(v, error));
    free(stages);
    return status;
}

static mneme_status check_canonical(const char *directory, mneme_error *error) {
    const char *mark = matmul_backend_mark();
    if (mark == NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: is not canonical (products by %s): its bits depend on CPU and library",
                     directory, mark);
}

static bool has_report(const char *directory) {
    return file_exists(path_in(directory, "report.json").text) ||
           file_exists(path_in(directory, "sweep.json").text);
}

/* The stages of v->directory. */
static mneme_status verify_run_folder(struct verifying *v, mneme_error *error) {
    const mneme_run_options folder = {.directory = v->directory.text,
                                      .overrides = v->options->overrides,
                                      .n_overrides = v->options->n_overrides,
                                      .progress = v->options->progress,
                                      .user = v->options->user};
    TRY(verify_files(v, error));
    TRY(experiment_open(&folder, IDENTITY_RUN, &v->experiment, error));
    mneme_status status = check_canonical(v->directory.text, error);
    THEN(verify_opened(v, error));
    experiment_close(&v->experiment);
    THEN(verify_reports(v, error));
    return status;
}

/* Takes the sweep's run folder `name`. */
static mneme_status verify_variant(struct verifying *v, const char *name, mneme_error *error) {
    v->directory = path_in(v->options->directory, "%s", name);
    snprintf(v->prefix, sizeof v->prefix, "%.60s/", name);
    return verify_run_folder(v, error);
}

/* A folder of run folders. */
static mneme_status verify_sweep(struct verifying *v, const struct path_list *recipes,
                                 mneme_error *error) {
    v->is_whole = true;
    for (size_t i = 0; i < recipes->n; i++) {
        const char *path = recipes->paths[i], *slash = strchr(path, '/');
        if (slash == NULL || strchr(slash + 1, '/') != NULL) continue;
        TRY(verify_variant(v, path_in("", "%.*s", (int)(slash - path), path).text, error));
    }
    v->directory = path_in("", "%s", v->options->directory);
    v->prefix[0] = '\0';
    TRY(verify_files(v, error));
    return verify_reports(v, error);
}

/* "pretrain, full/lr-0.001 …" is told for a name that is none. */
static mneme_status refuse_name(const struct verifying *v, mneme_error *error) {
    struct recipe recipe;
    struct stage stage;
    const mneme_verify_options *o = v->options;
    TRY(identity_recipe(o->directory, o->overrides, o->n_overrides, &recipe, error));
    mneme_status status = replay_find_stage(&recipe, o->stage, &stage, error);
    recipe_free(&recipe);
    if (status != MNEME_OK) return status;
    return error_set(error, MNEME_BAD_INPUT, "%s: has no stage `%s`", o->directory, o->stage);
}

static mneme_status verify_all(struct verifying *v, mneme_error *error) {
    struct path recipe = path_in(v->options->directory, IDENTITY_RECIPE);
    v->directory = path_in("", "%s", v->options->directory);
    v->is_whole = has_report(v->options->directory);
    if (file_exists(recipe.text) || !has_report(v->options->directory)) {
        TRY(verify_run_folder(v, error));
        return v->verification->n_stages > 0 ? MNEME_OK : refuse_name(v, error);
    }
    struct path_list list;
    TRY(directory_list(v->options->directory, IDENTITY_RECIPE, &list, error));
    mneme_status status = verify_sweep(v, &list, error);
    path_list_free(&list);
    if (status == MNEME_OK && v->verification->n_stages == 0) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: the sweep has no stage `%s`",
                           v->options->directory, v->options->stage);
    }
    return status;
}

mneme_status verify_run(const mneme_verify_options *options, mneme_verification *verification,
                        mneme_error *error) {
    if (options->to > 0 && options->from > options->to) {
        return error_set(error, MNEME_BAD_INPUT, "the window of steps ends before it begins");
    }
    struct verifying *v = calloc(1, sizeof *v);
    if (v == NULL) return error_set_memory(error, "the stages");
    v->options = options;
    v->verification = verification;
    mneme_status status = verify_all(v, error);
    free(v);
    verification->equal = true;
    for (size_t i = 0; i < verification->n_stages; i++) {
        verification->equal &= verification->stages[i].equal;
    }
    return status;
}
