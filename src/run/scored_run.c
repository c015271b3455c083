#include "run/scored_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "model/model.h"
#include "run/evaluation.h"
#include "run/finetuning.h"
#include "run/folder.h"
#include "run/model_folder.h"
#include "run/pretraining.h"

int scored_run_add_json(const struct scored_run *run, json_t *object) {
    return json_object_update_new(
        object, json_pack("{s:b, s:I, s:I, s:f}", "diverged", (int)run->diverged,
                          "trainable_parameters", (json_int_t)run->trainable_parameters, "steps",
                          (json_int_t)run->steps, "seconds", run->seconds));
}

/* What one evaluated model leaves on disk. */
static PATH_OUT_OF_LINE mneme_status save(const char *folder, const struct scored_run *run,
                                          mneme_error *error) {
    json_t *root = json_object();
    int failed = scores_to_json(&run->scores, root);
    failed |= json_object_update_new(
        root, json_pack("{s:f, s:b, s:I, s:I, s:f, s:s}", "lr", run->lr, "diverged",
                        (int)run->diverged, "steps", (json_int_t)run->steps, "trainable_parameters",
                        (json_int_t)run->trainable_parameters, "seconds", run->seconds, "digest",
                        run->digest.hex));
    mneme_status status = failed != 0
                              ? error_set_memory(error, "the scores")
                              : json_write_file(path_in(folder, FOLDER_SCORES).text, root, error);
    json_decref(root);
    return status;
}

static mneme_status read_run(const json_t *root, const char *path, struct scored_run *run,
                             mneme_error *error) {
    struct json_place at;
    char *digest = NULL;
    TRY(json_place_root(root, path, &at, error));
    TRY(scores_from_json(root, path, &run->scores, error));
    TRY(json_get_size(&at, "steps", KEY_REQUIRED, 0, SIZE_MAX / 2, &run->steps, error));
    TRY(json_get_size(&at, "trainable_parameters", KEY_REQUIRED, 0, SIZE_MAX / 2,
                      &run->trainable_parameters, error));
    TRY(json_get_bool(&at, "diverged", KEY_REQUIRED, &run->diverged, error));
    TRY(json_get_string(&at, "digest", KEY_REQUIRED, &digest, error));
    run->seconds = json_number_value(json_object_get(root, "seconds"));
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

static PATH_OUT_OF_LINE mneme_status load_from(const char *folder, struct scored_run *run,
                                               mneme_error *error) {
    return load(path_in(folder, FOLDER_SCORES).text, run, error);
}

/* Scores of the model as it is now, written to FOLDER/scores.json, and read back from there so
 * that a run and its continuation report from the same text. */
static PATH_OUT_OF_LINE mneme_status evaluate(const struct experiment *experiment,
                                              const char *stage, const char *folder,
                                              struct scored_run *run, mneme_error *error) {
    TRY(directory_make(folder, error));
    TRY(evaluation_run(experiment, stage, path_in(folder, FOLDER_ANSWERS).text, &run->scores,
                       error));
    TRY(parameter_digest_model(&experiment->model, &run->digest, error));
    TRY(save(folder, run, error));
    return load_from(folder, run, error);
}

mneme_status scored_run_base(struct experiment *e, struct scored_run *run, mneme_error *error) {
    *run = (struct scored_run){0};
    TRY(pretraining_run(e, error));
    TRY(scored_run_exists(e->base_folder)
            ? load_from(e->base_folder, run, error)
            : evaluate(e, "evaluate base", e->base_folder, run, error));
    return base_copy_keep(&e->base, &e->model, error);
}

PATH_OUT_OF_LINE bool scored_run_exists(const char *folder) {
    return file_exists(path_in(folder, FOLDER_SCORES).text);
}

mneme_status scored_run_finetuning(struct experiment *experiment, const struct stage *stage,
                                   const struct background *background, const char *folder,
                                   bool keep_weights, struct scored_run *run, mneme_error *error) {
    struct finetuning_result result;
    run->lr = (double)stage->lr;
    if (scored_run_exists(folder)) return load_from(folder, run, error);
    TRY(directory_make(folder, error));
    TRY(finetuning_run(experiment, stage, background, folder, &result, error));
    run->seconds = result.seconds;
    run->steps = result.steps;
    run->diverged = result.diverged;
    run->trainable_parameters = result.trainable_parameters;
    if (keep_weights) TRY(model_folder_save(experiment, folder, error));
    return evaluate(experiment, stage->name, folder, run, error);
}
