#include "run/experiment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rehearsal.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "folder/stage.h"
#include "nn/matmul_backend.h"
#include "recipe/recipe_inputs.h"
#include "recipe/recipe_load.h"
#include "run/trail.h"

/* What opening a folder may write into it. */
static const char *const opening_files[] = {
    IDENTITY_RECIPE, IDENTITY_INPUTS,      FOLDER_TOKENIZER, FOLDER_NEW_QUESTIONS,
    FOLDER_TEXT,     FOLDER_HELD_OUT_TEXT, FOLDER_MANIFEST};

#define N_OPENING_FILES (sizeof opening_files / sizeof *opening_files)

/* Which of these files are there. */
static void note_files(const char *directory, bool there[N_OPENING_FILES]) {
    for (size_t i = 0; i < N_OPENING_FILES; i++) {
        there[i] = file_exists(path_in(directory, "%s", opening_files[i]).text);
    }
}

/* A recipe that turned out not to fit its texts must not hold the folder against a better one. */
static void remove_new_files(const char *directory, const bool there[N_OPENING_FILES]) {
    for (size_t i = 0; i < N_OPENING_FILES; i++) {
        if (!there[i]) unlink(path_in(directory, "%s", opening_files[i]).text);
    }
}

/* What tells whose folder it is must be what was written. */
static mneme_status check_recipe(const char *directory, mneme_error *error) {
    struct path recipe = path_in(directory, IDENTITY_RECIPE);
    return manifest_holds(directory, recipe.text) ? manifest_check(directory, recipe.text, error)
                                                  : MNEME_OK;
}

/* A folder that is there already: its digests, and the contract that it was made under. */
static mneme_status check_folder(const struct experiment *e, mneme_error *error) {
    struct manifest manifest;
    const struct stage pretraining = stage_pretraining();
    struct path folder = stage_folder(e->directory, &pretraining);
    TRY(manifest_read(e->directory, &manifest, error));
    const bool there = manifest.there;
    manifest_free(&manifest);
    TRY(check_recipe(e->directory, error));
    TRY(trail_check_contract(path_in(folder.text, FOLDER_TRAIL).text, error));
    if (there || !file_exists(path_in(e->directory, IDENTITY_RECIPE).text)) return MNEME_OK;
    experiment_warn(e,
                    "%s: has no " FOLDER_MANIFEST
                    ": an earlier version made it, and what is in it "
                    "cannot be checked",
                    e->directory);
    return MNEME_OK;
}

/* The digests begin with the folder, or with those of all that an earlier version left in it. */
static mneme_status begin_manifest(const struct experiment *e, mneme_error *error) {
    if (e->is_read || file_exists(path_in(e->directory, FOLDER_MANIFEST).text)) return MNEME_OK;
    return file_exists(path_in(e->directory, IDENTITY_RECIPE).text)
               ? manifest_adopt(e->directory, error)
               : manifest_begin(e->directory, error);
}

/* Adds what opening the folder wrote. */
static mneme_status sign_opened(const struct experiment *e, mneme_error *error) {
    struct path recipe = path_in(e->directory, IDENTITY_RECIPE);
    struct path tokenizer = path_in(e->directory, FOLDER_TOKENIZER);
    const char *const paths[] = {recipe.text, tokenizer.text};
    if (e->is_read || (manifest_holds(e->directory, recipe.text) &&
                       manifest_holds(e->directory, tokenizer.text))) {
        return MNEME_OK;
    }
    return manifest_sign(e->directory, paths, 2, error);
}

/* All that needs the recipe alone. */
static mneme_status open_parts(struct experiment *e, enum identity_scope scope,
                               mneme_error *error) {
    if (!rehearsal_is_on()) {
        TRY(directory_make(e->directory, error));
        TRY(begin_manifest(e, error));
        TRY(identity_check(&e->recipe, e->directory, scope, !e->is_read, error));
    }
    TRY(experiment_open_texts(e, error));
    if (!rehearsal_is_on()) TRY(sign_opened(e, error));
    if (e->recipe.base == NULL) {
        e->recipe.model.vocab_size = tokenizer_vocab_size(e->tokenizer);
    }
    TRY(model_open(&e->recipe.model, &e->model, error));
    return experiment_open_choices(e, error);
}

static mneme_status load_recipe(const mneme_run_options *options, struct recipe *recipe,
                                mneme_error *error) {
    mneme_status status =
        options->recipe == NULL
            ? identity_recipe(options->directory, options->overrides, options->n_overrides, recipe,
                              error)
            : recipe_load(options->recipe, options->overrides, options->n_overrides, recipe, error);
    TRY(status);
    status = recipe_check_inputs(recipe, error);
    if (status != MNEME_OK) recipe_free(recipe);
    return status;
}

mneme_status experiment_open(const mneme_run_options *options, enum identity_scope scope,
                             struct experiment *experiment, mneme_error *error) {
    *experiment = (struct experiment){.directory = options->directory,
                                      .is_read = options->recipe == NULL,
                                      .progress = options->progress,
                                      .user = options->user};
    TRY(check_folder(experiment, error));
    TRY(load_recipe(options, &experiment->recipe, error));
    experiment->base_folder = strdup(path_in(options->directory, FOLDER_BASE).text);
    experiment->pretrain_folder = strdup(path_in(options->directory, FOLDER_PRETRAIN).text);
    mneme_status status = matmul_backend_choose(experiment->recipe.matmul, error);
    THEN(experiment_open_corpus(experiment, error));
    bool there[N_OPENING_FILES];
    note_files(options->directory, there);
    if (experiment->base_folder == NULL || experiment->pretrain_folder == NULL) {
        status = error_set_memory(error, options->directory);
    }
    THEN(open_parts(experiment, scope, error));
    if (status == MNEME_OK) return MNEME_OK;
    if (!rehearsal_is_on()) remove_new_files(options->directory, there);
    experiment_close(experiment);
    return status;
}

void experiment_close(struct experiment *experiment) {
    experiment_close_choices(experiment);
    model_close(&experiment->model);
    token_texts_free(&experiment->known.prompts);
    token_texts_free(&experiment->fresh.prompts);
    model_texts_close(&experiment->texts);
    token_texts_free(&experiment->known.answered);
    token_texts_free(&experiment->fresh.answered);
    lessons_free(&experiment->lessons);
    common_texts_close(&experiment->common);
    voice_close(&experiment->voice);
    token_texts_free(&experiment->skill_test);
    token_texts_free(&experiment->pretraining);
    packed_text_close(&experiment->text);
    packed_text_close(&experiment->held_out_text);
    tokenizer_free(experiment->tokenizer);
    corpus_free(&experiment->corpus);
    recipe_free(&experiment->recipe);
    free(experiment->base_folder);
    free(experiment->pretrain_folder);
    matmul_backend_choose(MATMUL_CANONICAL, NULL);
    *experiment = (struct experiment){0};
}
