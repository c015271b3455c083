#include "run/scored_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "model/parameter_digest.h"
#include "run/evaluation.h"
#include "run/finetuning.h"
#include "run/model_folder.h"
#include "run/pretraining.h"

#define MAX_SCORES_BYTES ((size_t)1 << 20)

/* What one evaluated model leaves on disk. */
static mneme_status save(const char *path, const struct scored_run *run, mneme_error *error) {
    json_t *root = json_object();
    int failed = scores_to_json(&run->scores, root);
    failed |= json_object_set_new(root, "lr", json_real(run->lr));
    failed |= json_object_set_new(root, "diverged", json_boolean(run->diverged));
    failed |= json_object_set_new(root, "steps", json_integer((json_int_t)run->steps));
    failed |= json_object_set_new(root, "trainable_parameters",
                                  json_integer((json_int_t)run->trainable_parameters));
    failed |= json_object_set_new(root, "seconds", json_real(run->seconds));
    failed |= json_object_set_new(root, "digest", json_string(run->digest.hex));
    mneme_status status =
        failed != 0 ? error_set_memory(error, "the scores") : json_write_file(path, root, error);
    json_decref(root);
    return status;
}

static mneme_status load(const char *path, struct scored_run *run, mneme_error *error) {
    json_t *root = NULL;
    struct json_place at;
    char *digest = NULL;
    mneme_status status = json_read_file(path, MAX_SCORES_BYTES, &root, error);
    if (status == MNEME_OK) status = json_place_root(root, path, &at, error);
    if (status == MNEME_OK) status = scores_from_json(root, path, &run->scores, error);
    if (status == MNEME_OK) {
        status = json_get_size(&at, "steps", KEY_REQUIRED, 0, SIZE_MAX / 2, &run->steps, error);
    }
    if (status == MNEME_OK) {
        status = json_get_size(&at, "trainable_parameters", KEY_REQUIRED, 0, SIZE_MAX / 2,
                               &run->trainable_parameters, error);
    }
    if (status == MNEME_OK) {
        status = json_get_bool(&at, "diverged", KEY_REQUIRED, &run->diverged, error);
    }
    if (status == MNEME_OK) {
        status = json_get_string(&at, "digest", KEY_REQUIRED, &digest, error);
    }
    if (status == MNEME_OK) {
        run->seconds = json_number_value(json_object_get(root, "seconds"));
        snprintf(run->digest.hex, sizeof run->digest.hex, "%s", digest);
    }
    free(digest);
    json_decref(root);
    return status;
}

/* Scores of the model as it is now, written to FOLDER/scores.json, and read back from there so
 * that a run and its continuation report from the same text. */
static mneme_status evaluate(const struct experiment *experiment, const char *stage,
                             const char *folder, struct scored_run *run, mneme_error *error) {
    char *scores = path_join(folder, "scores.json"), *answers = path_join(folder, "answers.jsonl");
    mneme_status status = scores == NULL || answers == NULL ? error_set_memory(error, "a path")
                                                            : directory_make(folder, error);
    if (status == MNEME_OK) {
        status = evaluation_run(experiment, stage, answers, &run->scores, error);
    }
    if (status == MNEME_OK)
        status = parameter_digest_model(&experiment->model, &run->digest, error);
    if (status == MNEME_OK) status = save(scores, run, error);
    if (status == MNEME_OK) status = load(scores, run, error);
    free(scores);
    free(answers);
    return status;
}

mneme_status scored_run_base(struct experiment *experiment, struct scored_run *run,
                             mneme_error *error) {
    *run = (struct scored_run){0};
    mneme_status status = pretraining_run(experiment, error);
    if (status != MNEME_OK) return status;
    char *folder = experiment_path(experiment, "base");
    char *scores = experiment_path(experiment, "base/scores.json");
    if (folder == NULL || scores == NULL) {
        status = error_set_memory(error, "a path");
    } else if (file_exists(scores)) {
        status = load(scores, run, error);
    } else {
        status = evaluate(experiment, "evaluate base", folder, run, error);
    }
    free(folder);
    free(scores);
    return status == MNEME_OK ? experiment_keep_base(experiment, error) : status;
}

mneme_status scored_run_finetuning(struct experiment *experiment, const struct stage *stage,
                                   const struct background *background, const char *folder,
                                   bool keep_weights, struct scored_run *run, mneme_error *error) {
    char *scores = path_join(folder, "scores.json");
    struct finetuning_result result = {0};
    if (scores == NULL) return error_set_memory(error, "a path");
    run->lr = (double)stage->lr;
    mneme_status status;
    if (file_exists(scores)) {
        status = load(scores, run, error);
        free(scores);
        return status;
    }
    status = directory_make(folder, error);
    if (status == MNEME_OK) {
        status = finetuning_run(experiment, stage, background, folder, &result, error);
    }
    run->seconds = result.seconds;
    run->steps = result.steps;
    run->diverged = result.diverged;
    run->trainable_parameters = result.trainable_parameters;
    if (status == MNEME_OK && keep_weights) status = model_folder_save(experiment, folder, error);
    if (status == MNEME_OK) status = evaluate(experiment, stage->name, folder, run, error);
    free(scores);
    return status;
}
