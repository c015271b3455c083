#include <mneme/run.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/float_state.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/path.h"
#include "experiment/background_stage.h"
#include "experiment/evaluation.h"
#include "experiment/expectation.h"
#include "experiment/experiment.h"
#include "experiment/finetuning.h"
#include "experiment/model_folder.h"
#include "experiment/plot.h"
#include "experiment/pretraining.h"
#include "experiment/report.h"
#include "experiment/result_digest.h"
#include "model/parameter_digest.h"
#include "nn/matmul_backend.h"

#define MAX_SCORES_BYTES ((size_t)1 << 20)

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* What one evaluated model leaves on disk. */
static mneme_status save_run(const char *path, const struct report_run *run, mneme_error *error) {
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

static mneme_status load_run(const char *path, struct report_run *run, mneme_error *error) {
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
                             const char *folder, struct report_run *run, mneme_error *error) {
    char *scores = path_join(folder, "scores.json"), *answers = path_join(folder, "answers.jsonl");
    mneme_status status = scores == NULL || answers == NULL ? error_set_memory(error, "a path")
                                                            : directory_make(folder, error);
    if (status == MNEME_OK) {
        status = evaluation_run(experiment, stage, answers, &run->scores, error);
    }
    if (status == MNEME_OK)
        status = parameter_digest_model(&experiment->model, &run->digest, error);
    if (status == MNEME_OK) status = save_run(scores, run, error);
    if (status == MNEME_OK) status = load_run(scores, run, error);
    free(scores);
    free(answers);
    return status;
}

static mneme_status base_run(struct experiment *experiment, struct report *report,
                             mneme_error *error) {
    struct report_run run = {0};
    mneme_status status = pretraining_run(experiment, error);
    if (status != MNEME_OK) return status;
    char *folder = experiment_path(experiment, "base");
    char *scores = experiment_path(experiment, "base/scores.json");
    if (folder == NULL || scores == NULL) {
        status = error_set_memory(error, "a path");
    } else if (file_exists(scores)) {
        status = load_run(scores, &run, error);
    } else {
        status = evaluate(experiment, "evaluate base", folder, &run, error);
    }
    report->base = run.scores;
    report->base_digest = run.digest;
    free(folder);
    free(scores);
    return status == MNEME_OK ? experiment_keep_base(experiment, error) : status;
}

/* One finetuning of a sweep: done before, or done now. Its model stays until one is chosen. */
static mneme_status sweep_run(struct experiment *experiment, const struct stage *stage,
                              const struct background *background, const char *folder,
                              struct report_run *run, mneme_error *error) {
    char *scores = path_join(folder, "scores.json");
    struct finetuning_result result = {0};
    if (scores == NULL) return error_set_memory(error, "a path");
    run->lr = (double)stage->lr;
    mneme_status status;
    if (file_exists(scores)) {
        status = load_run(scores, run, error);
        free(scores);
        return status;
    }
    double start = now();
    status = directory_make(folder, error);
    if (status == MNEME_OK) {
        status = finetuning_run(experiment, stage, background, folder, &result, error);
    }
    run->seconds = now() - start;
    run->steps = result.steps;
    run->diverged = result.diverged;
    run->trainable_parameters = result.trainable_parameters;
    if (status == MNEME_OK) status = model_folder_save(experiment, folder, error);
    if (status == MNEME_OK) status = evaluate(experiment, stage->name, folder, run, error);
    free(scores);
    return status;
}

static mneme_status sweep(struct experiment *experiment, enum method method,
                          const struct background *background, struct report *report,
                          mneme_error *error) {
    const struct recipe_method *recipe = method_recipe(&experiment->recipe, method);
    if (!recipe->enabled) return MNEME_OK;
    struct report_method *found = &report->methods[report->n_methods++];
    found->name = method_name(method);
    for (size_t i = 0; i < recipe->n_lr; i++) {
        struct stage stage = stage_finetuning(method, recipe->lr[i]);
        char *folder = stage_folder(experiment->directory, &stage);
        mneme_status status = folder == NULL ? error_set_memory(error, "a path")
                                             : sweep_run(experiment, &stage, background, folder,
                                                         &found->runs[i], error);
        free(folder);
        if (status != MNEME_OK) return status;
        found->n_runs++;
    }
    return MNEME_OK;
}

/* Only the chosen run of a method keeps its weights; the others can be made again. */
static void keep_chosen_weights(const struct experiment *experiment, const struct report *report) {
    size_t m = 0;
    for (enum method method = METHOD_FULL; method < METHOD_COUNT; method++) {
        const struct recipe_method *recipe = method_recipe(&experiment->recipe, method);
        if (!recipe->enabled) continue;
        for (size_t i = 0; i < recipe->n_lr; i++) {
            if (i == report->methods[m].chosen) continue;
            struct stage stage = stage_finetuning(method, recipe->lr[i]);
            char *folder = stage_folder(experiment->directory, &stage);
            char *path = folder == NULL ? NULL : path_join(folder, "model.safetensors");
            if (path != NULL) unlink(path);
            free(path);
            free(folder);
        }
        m++;
    }
}

static mneme_status finetune_all(struct experiment *experiment, struct report *report,
                                 mneme_error *error) {
    struct background background = {0};
    mneme_status status = MNEME_OK;
    if (experiment->recipe.finetune.smf.enabled) {
        status = background_stage_run(experiment, &background, error);
    }
    for (enum method method = METHOD_FULL; status == MNEME_OK && method < METHOD_COUNT; method++) {
        status = sweep(experiment, method, &background, report, error);
    }
    background_close(&background);
    return status;
}

static mneme_status run_stages(struct experiment *experiment, const char *expected, char **table,
                               mneme_error *error) {
    double start = now();
    struct report *report = calloc(1, sizeof *report);
    if (report == NULL) return error_set_memory(error, "the report");
    report->recipe = experiment->recipe.name;
    mneme_status status = base_run(experiment, report, error);
    if (status == MNEME_OK) status = finetune_all(experiment, report, error);
    if (status == MNEME_OK) {
        report_select(report);
        report->seconds = now() - start;
        status = result_digest(experiment, report, &report->result, error);
    }
    if (status == MNEME_OK) {
        status = report_write(report, experiment->directory, error);
        bool drawn;
        if (status == MNEME_OK) {
            status = plot_tradeoff(report, experiment->directory, &drawn, error);
        }
    }
    if (status == MNEME_OK) {
        keep_chosen_weights(experiment, report);
        *table = report_table(report);
        if (*table == NULL) status = error_set_memory(error, "the table");
    }
    if (status == MNEME_OK && expected != NULL) status = expectation_check(expected, report, error);
    free(report);
    return status;
}

/* Only canonical runs are compared with expected digests. */
static mneme_status check_expectable(const char *expected, mneme_error *error) {
    const char *mark = matmul_backend_mark();
    if (expected == NULL || mark == NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: cannot be expected of a run that is not canonical (products by %s)",
                     expected, mark);
}

mneme_status mneme_run(const mneme_run_options *options, char **table, mneme_error *error) {
    struct experiment experiment;
    struct float_state state = {0};
    *table = NULL;
    mneme_status status = float_state_enter(&state, error);
    if (status != MNEME_OK) return status;
    status = experiment_open(options, &experiment, error);
    if (status == MNEME_OK) {
        status = check_expectable(options->expected, error);
        if (status == MNEME_OK) status = run_stages(&experiment, options->expected, table, error);
        experiment_close(&experiment);
    }
    float_state_leave(&state);
    return status;
}
