#include "run/scored_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "model/model.h"
#include "run/answers.h"
#include "run/evaluation.h"
#include "run/finetuning.h"
#include "run/model_folder.h"
#include "run/pretraining.h"
#include "run/trail.h"
#include "tensor/model_digest.h"

int scored_run_add_json(const struct scored_run *run, json_t *object) {
    const bool diverged = run->divergence.step > 0;
    json_t *at = diverged ? json_pack("{s:I, s:s}", "step", (json_int_t)run->divergence.step,
                                      "cause", run->divergence.cause)
                          : json_null();
    return json_object_update_new(
        object, json_pack("{s:b, s:o, s:I, s:I, s:f}", "diverged", (int)diverged, "diverged_at", at,
                          "trainable_parameters", (json_int_t)run->trainable_parameters, "steps",
                          (json_int_t)run->steps, "seconds", run->seconds));
}

json_t *scored_run_digest(const struct scored_run *run) {
    return run->divergence.step > 0 ? json_null() : json_string(run->digest.hex);
}

json_t *scored_run_to_json(const struct scored_run *run) {
    json_t *root = json_object();
    int failed = scores_to_json(&run->scores, root);
    failed |= json_object_set_new(root, "lr", json_real(run->lr));
    failed |= scored_run_add_json(run, root);
    failed |= json_object_set_new(root, "digest", scored_run_digest(run));
    if (failed == 0) return root;
    json_decref(root);
    return NULL;
}

/* What one evaluated model leaves on disk. */
static PATH_OUT_OF_LINE mneme_status save(const char *folder, const struct scored_run *run,
                                          mneme_error *error) {
    json_t *root = scored_run_to_json(run);
    mneme_status status = root == NULL
                              ? error_set_memory(error, "the scores")
                              : json_write_file(path_in(folder, FOLDER_SCORES).text, root, error);
    json_decref(root);
    return status;
}

static mneme_status read_divergence(const struct json_place *at, struct divergence *divergence,
                                    mneme_error *error) {
    char *cause = NULL;
    size_t step = 0;
    TRY(json_get_size(at, "diverged_at.step", KEY_REQUIRED, 1, SIZE_MAX / 2, &step, error));
    TRY(json_get_string(at, "diverged_at.cause", KEY_REQUIRED, &cause, error));
    divergence_set(divergence, step, cause);
    free(cause);
    return MNEME_OK;
}

static mneme_status read_run(const json_t *root, const char *path, struct scored_run *run,
                             mneme_error *error) {
    struct json_place at;
    char *digest = NULL;
    bool diverged;
    TRY(json_place_root(root, path, &at, error));
    TRY(json_get_size(&at, "steps", KEY_REQUIRED, 0, SIZE_MAX / 2, &run->steps, error));
    TRY(json_get_size(&at, "trainable_parameters", KEY_REQUIRED, 0, SIZE_MAX / 2,
                      &run->trainable_parameters, error));
    run->seconds = json_number_value(json_object_get(root, "seconds"));
    TRY(json_get_bool(&at, "diverged", KEY_REQUIRED, &diverged, error));
    run->scores.diverged = diverged;
    if (diverged) return read_divergence(&at, &run->divergence, error);
    TRY(scores_from_json(root, path, &run->scores, error));
    TRY(json_get_string(&at, "digest", KEY_REQUIRED, &digest, error));
    snprintf(run->digest.hex, sizeof run->digest.hex, "%s", digest);
    free(digest);
    return MNEME_OK;
}

static mneme_status load(const char *path, struct scored_run *run, mneme_error *error) {
    json_t *root = NULL;
    TRY(json_read_file(path, JSON_MAX_BYTES, &root, error));
    mneme_status status = read_run(root, path, run, error);
    json_decref(root);
    return status;
}

PATH_OUT_OF_LINE mneme_status scored_run_load(const char *folder, struct scored_run *run,
                                              mneme_error *error) {
    return load(path_in(folder, FOLDER_SCORES).text, run, error);
}

/* Writes the answers whole or not at all. */
static mneme_status write_answers(const struct experiment *experiment, const char *stage,
                                  const char *path, struct scores *scores, mneme_error *error) {
    struct file_writer answers = {0};
    mneme_status status = file_writer_open(&answers, path, error);
    THEN(evaluation_run(experiment, stage, answers.stream, scores, error));
    THEN(file_writer_finish(&answers, error));
    file_writer_abandon(&answers);
    return status;
}

/* Asks the model as it is now; what is not finite in it ends a finetuning as a divergence. */
static PATH_OUT_OF_LINE mneme_status ask(const struct experiment *experiment, const char *stage,
                                         const char *folder, struct scored_run *run,
                                         mneme_error *error) {
    run->scores = (struct scores){0};
    mneme_status status =
        write_answers(experiment, stage, path_in(folder, FOLDER_ANSWERS).text, &run->scores, error);
    if (!run->scores.diverged) return status;
    divergence_set(&run->divergence, run->steps, error == NULL ? NULL : error->message);
    return MNEME_OK;
}

/* Writes FOLDER/scores.json, and reads it back so that a run and its continuation report from the
 * same text. */
static PATH_OUT_OF_LINE mneme_status record(const struct experiment *experiment, const char *folder,
                                            struct scored_run *run, mneme_error *error) {
    run->scores.diverged = run->divergence.step > 0;
    if (!run->scores.diverged) {
        TRY(parameter_digest_model(&experiment->model, &run->digest, error));
    }
    TRY(save(folder, run, error));
    return scored_run_load(folder, run, error);
}

static mneme_status compare_digests(const char *folder, const char *found,
                                    const struct scored_run *run, mneme_error *error) {
    if (strcmp(found, run->digest.hex) == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: " FOLDER_SCORES " is of the model with digest %s, but " FOLDER_MODEL
                     " has digest %s",
                     folder, run->digest.hex, found);
}

static mneme_status check_model(const char *folder, const struct scored_run *run,
                                mneme_error *error) {
    struct path model = path_in(folder, FOLDER_MODEL);
    mneme_digest found;
    if (!file_exists(model.text)) return MNEME_OK;
    TRY(model_digest_path(model.text, &found, error));
    mneme_status status = compare_digests(folder, found.sha256, run, error);
    model_digest_free(&found);
    return status;
}

static PATH_OUT_OF_LINE mneme_status check_answers(const char *folder, const struct scored_run *run,
                                                   mneme_error *error) {
    struct path answers = path_in(folder, FOLDER_ANSWERS);
    return file_exists(answers.text) ? answers_check(answers.text, &run->scores, error) : MNEME_OK;
}

mneme_status scored_run_check(const char *folder, const struct scored_run *run,
                              mneme_error *error) {
    if (run->divergence.step > 0) return MNEME_OK; /* it left neither */
    TRY(check_model(folder, run, error));
    return check_answers(folder, run, error);
}

/* What a folder holds already. */
static PATH_OUT_OF_LINE mneme_status take(const struct experiment *experiment, const char *folder,
                                          struct scored_run *run, mneme_error *error) {
    TRY(manifest_check(experiment->directory, folder, error));
    TRY(trail_check_contract(path_in(folder, FOLDER_TRAIL).text, error));
    TRY(scored_run_load(folder, run, error));
    return scored_run_check(folder, run, error);
}

/* The base's model was checked when it was loaded. */
static PATH_OUT_OF_LINE mneme_status take_base(const struct experiment *e, struct scored_run *run,
                                               mneme_error *error) {
    static const char *const files[] = {FOLDER_SCORES, FOLDER_ANSWERS, FOLDER_TOKENIZER};
    struct digest digest;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct path path = path_in(e->base_folder, "%s", files[i]);
        if (file_exists(path.text)) TRY(manifest_check(e->directory, path.text, error));
    }
    TRY(scored_run_load(e->base_folder, run, error));
    TRY(parameter_digest_model(&e->model, &digest, error));
    TRY(compare_digests(e->base_folder, digest.hex, run, error));
    return check_answers(e->base_folder, run, error);
}

/* Evaluates the base as it is now. One that is not finite is good for nothing. */
static PATH_OUT_OF_LINE mneme_status evaluate_base(struct experiment *e, struct scored_run *run,
                                                   mneme_error *error) {
    struct path scores = path_in(e->base_folder, FOLDER_SCORES);
    struct path answers = path_in(e->base_folder, FOLDER_ANSWERS);
    const char *const paths[] = {scores.text, answers.text};
    TRY(manifest_forget(e->directory, paths, 2, error));
    TRY(ask(e, "evaluate base", e->base_folder, run, error));
    if (run->divergence.step > 0) return pretraining_diverged(e, run->steps, error);
    TRY(record(e, e->base_folder, run, error));
    return manifest_sign(e->directory, paths, 2, error);
}

PATH_OUT_OF_LINE mneme_status scored_run_read_slots(const struct experiment *e,
                                                    struct scored_run *base, mneme_error *error) {
    struct path trail = path_in(e->pretrain_folder, FOLDER_TRAIL);
    struct trail_line line;
    if (e->recipe.pretrain.steps == 0 || !file_exists(trail.text)) return MNEME_OK;
    TRY(trail_read_step(trail.text, e->recipe.pretrain.steps, &line, error));
    base->has_slots = line.has_slots;
    base->slots = line.slots;
    return MNEME_OK;
}

mneme_status scored_run_base(struct experiment *e, struct scored_run *run, mneme_error *error) {
    *run = (struct scored_run){.steps = e->recipe.pretrain.steps};
    TRY(pretraining_run(e, error));
    TRY(scored_run_exists(e, e->base_folder) ? take_base(e, run, error)
                                             : evaluate_base(e, run, error));
    return scored_run_read_slots(e, run, error);
}

PATH_OUT_OF_LINE bool scored_run_exists(const struct experiment *experiment, const char *folder) {
    return manifest_holds(experiment->directory, path_in(folder, FOLDER_SCORES).text);
}

/* Merging what was learned into the model may overflow. */
static void note_weights(const struct experiment *experiment, struct scored_run *run) {
    if (run->divergence.step > 0 || model_is_finite(&experiment->model)) return;
    divergence_set(&run->divergence, run->steps, "a weight is not finite");
}

/* Takes away what an earlier finetuning left of digests, but for that of its settings. */
static PATH_OUT_OF_LINE mneme_status begin_folder(const char *directory, const char *folder,
                                                  mneme_error *error) {
    struct path settings = path_in(folder, FOLDER_CELL);
    const char *const kept[] = {settings.text};
    TRY(manifest_forget(directory, &folder, 1, error));
    return file_exists(settings.text) ? manifest_sign(directory, kept, 1, error) : MNEME_OK;
}

mneme_status scored_run_finetuning(struct experiment *experiment, const struct stage *stage,
                                   const struct background *background, const char *folder,
                                   bool keep_weights, struct scored_run *run, mneme_error *error) {
    struct finetuning_result result;
    run->lr = (double)stage->lr;
    if (scored_run_exists(experiment, folder)) return take(experiment, folder, run, error);
    TRY(begin_folder(experiment->directory, folder, error));
    TRY(directory_make(folder, error));
    TRY(finetuning_run(experiment, stage, background, folder, &result, error));
    run->seconds = result.seconds;
    run->steps = result.steps;
    run->divergence = result.divergence;
    run->trainable_parameters = result.trainable_parameters;
    note_weights(experiment, run);
    if (run->divergence.step == 0) TRY(ask(experiment, stage->name, folder, run, error));
    if (run->divergence.step == 0 && keep_weights) {
        TRY(model_folder_save(experiment, folder, error));
        if (stage->method->needs_background) {
            TRY(model_folder_hand_background(experiment, folder, error));
        }
    }
    TRY(record(experiment, folder, run, error));
    return manifest_sign(experiment->directory, &folder, 1, error);
}
