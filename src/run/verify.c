#include "run/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "model/parameter_digest.h"
#include "nn/matmul_backend.h"
#include "run/background_stage.h"
#include "run/model_folder.h"
#include "run/replay.h"
#include "tensor/model_digest.h"

static const char background_name[] = "background";

/* A verification under way. */
struct verifying {
    const mneme_verify_options *options;
    struct experiment experiment;
    mneme_verified_stage *stage; /* that is being compared */
};

static mneme_status set_different(mneme_verified_stage *stage, size_t step, const char *recorded,
                                  const char *found, mneme_error *error) {
    stage->equal = false;
    stage->different_step = step;
    stage->recorded = strdup(recorded);
    stage->found = strdup(found);
    return stage->recorded == NULL || stage->found == NULL ? error_set_memory(error, "a comparison")
                                                           : MNEME_OK;
}

static mneme_status compare_step(mneme_verified_stage *stage, const struct trail_text *trail,
                                 const struct trail_line *line, mneme_error *error) {
    const char *recorded = trail->lines[line->step - 1];
    char *found = trail_line_text(line);
    if (found == NULL) return error_set_memory(error, "a comparison");
    mneme_status status = MNEME_OK;
    if (strcmp(found, recorded) != 0) {
        status = set_different(stage, line->step, recorded, found, error);
    }
    free(found);
    return status;
}

/* Steps up to the last one that is to be compared, or to the first that differs. */
static mneme_status compare_steps(struct verifying *v, struct replay *replay,
                                  const struct trail_text *trail, mneme_error *error) {
    mneme_verified_stage *stage = v->stage;
    size_t tokens = 0, start = replay_steps(replay);
    stage->start = start;
    while (replay_steps(replay) < stage->last && stage->equal) {
        struct trail_line line;
        mneme_status status = replay_step(replay, &line, error);
        if (status != MNEME_OK) return status;
        tokens += line.tokens;
        experiment_progress(&v->experiment, stage->name, "steps", line.step - start,
                            stage->last - start, tokens, &line.loss);
        if (line.step < stage->first) continue;
        status = compare_step(stage, trail, &line, error);
        if (status != MNEME_OK) return status;
    }
    return MNEME_OK;
}

/* The model that the stage left, where its weights or their digest are still there. */
static mneme_status recorded_end(const char *directory, const struct stage *stage, char digest[65],
                                 mneme_error *error) {
    char *folder =
        stage->is_pretraining ? path_join(directory, "base") : stage_folder(directory, stage);
    char *model = folder == NULL ? NULL : path_join(folder, "model.safetensors");
    mneme_digest found = {0};
    mneme_status status = MNEME_OK;
    digest[0] = '\0';
    if (model == NULL) {
        status = error_set_memory(error, "a path");
    } else if (file_exists(model)) {
        status = model_digest_path(model, &found, error);
        if (status == MNEME_OK) memcpy(digest, found.sha256, 65);
        model_digest_free(&found);
    }
    free(model);
    free(folder);
    return status;
}

static mneme_status compare_end(struct verifying *v, struct replay *replay, mneme_error *error) {
    char recorded[65];
    struct digest found;
    mneme_status status = recorded_end(v->options->directory, &replay->stage, recorded, error);
    if (status != MNEME_OK || recorded[0] == '\0') return status;
    if (!replay->stage.is_pretraining) status = finetuning_finish(&replay->finetuning, error);
    if (status == MNEME_OK) {
        status = parameter_digest_model(&v->experiment.model, &found, error);
    }
    if (status != MNEME_OK || strcmp(recorded, found.hex) == 0) return status;
    return set_different(v->stage, 0, recorded, found.hex, error);
}

/* The steps to compare: what was asked for, as far as the trail goes. */
static void set_window(const mneme_verify_options *options, size_t n, mneme_verified_stage *stage) {
    stage->first = options->from > 0 ? options->from : 1;
    stage->last = options->to > 0 && options->to < n ? options->to : n;
}

static mneme_status verify_stage(struct verifying *v, const struct stage *stage,
                                 mneme_error *error) {
    struct trail_text trail = {0};
    struct replay replay = {0};
    char *path = replay_trail_path(v->options->directory, stage);
    snprintf(v->stage->name, sizeof v->stage->name, "%s", stage->name);
    v->stage->equal = true;
    mneme_status status =
        path == NULL ? error_set_memory(error, "a path") : trail_text_open(&trail, path, error);
    if (status == MNEME_OK) {
        set_window(v->options, trail.n, v->stage);
        status = replay_open(&replay, &v->experiment, stage, v->stage->first - 1, error);
    }
    if (status == MNEME_OK) status = compare_steps(v, &replay, &trail, error);
    if (status == MNEME_OK && v->stage->equal && v->stage->last == trail.n) {
        status = compare_end(v, &replay, error);
    }
    replay_close(&replay);
    trail_text_close(&trail);
    free(path);
    return status;
}

static mneme_status load_base(struct experiment *experiment, mneme_error *error) {
    char *base = experiment_path(experiment, "base");
    mneme_status status = base == NULL ? error_set_memory(error, "a path")
                                       : model_folder_load(experiment, base, error);
    free(base);
    return status;
}

/* The background has no steps: it is counted anew and compared as a whole. */
static mneme_status verify_background(struct verifying *v, mneme_error *error) {
    struct background recorded = {0}, found = {0};
    snprintf(v->stage->name, sizeof v->stage->name, "%s", background_name);
    v->stage->equal = true;
    mneme_status status = load_base(&v->experiment, error);
    if (status == MNEME_OK) status = background_stage_load(&v->experiment, &recorded, error);
    if (status == MNEME_OK) status = background_stage_count(&v->experiment, &found, error);
    if (status == MNEME_OK) {
        v->stage->first = 1;
        v->stage->last = found.n_batches;
        if (found.n_batches != recorded.n_batches ||
            memcmp(found.batches_reading, recorded.batches_reading,
                   found.n_slots * sizeof *found.batches_reading) != 0 ||
            memcmp(found.reads, recorded.reads, found.n_slots * sizeof *found.reads) != 0) {
            status = set_different(v->stage, 0, "background.safetensors", "other counts", error);
        }
    }
    background_close(&recorded);
    background_close(&found);
    return status;
}

static mneme_status verify_named(struct verifying *v, const char *name,
                                 mneme_verification *verification, mneme_error *error) {
    struct stage stage;
    v->stage = &verification->stages[verification->n_stages++];
    if (strcmp(name, background_name) == 0) return verify_background(v, error);
    mneme_status status = replay_find_stage(&v->experiment.recipe, name, &stage, error);
    return status == MNEME_OK ? verify_stage(v, &stage, error) : status;
}

static mneme_status verify_all(struct verifying *v, const struct stage *stages, size_t n,
                               mneme_verification *verification, mneme_error *error) {
    mneme_status status = MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < n; i++) {
        v->stage = &verification->stages[verification->n_stages++];
        status = verify_stage(v, &stages[i], error);
        if (i > 0 || status != MNEME_OK || !v->experiment.recipe.finetune.smf.rates.enabled)
            continue;
        v->stage = &verification->stages[verification->n_stages++];
        status = verify_background(v, error);
    }
    return status;
}

static mneme_status verify(struct verifying *v, mneme_verification *verification,
                           mneme_error *error) {
    size_t n;
    struct stage *stages = stage_list(&v->experiment.recipe, &n);
    verification->stages = calloc(n + 1, sizeof *verification->stages);
    if (stages == NULL || verification->stages == NULL) {
        free(stages);
        return error_set_memory(error, "the stages");
    }
    mneme_status status;
    if (v->options->stage != NULL) {
        status = verify_named(v, v->options->stage, verification, error);
    } else {
        status = verify_all(v, stages, n, verification, error);
    }
    free(stages);
    verification->equal = true;
    for (size_t i = 0; i < verification->n_stages; i++) {
        verification->equal &= verification->stages[i].equal;
    }
    return status;
}

mneme_status verify_run(const mneme_verify_options *options, mneme_verification *verification,
                        mneme_error *error) {
    struct verifying v = {.options = options};
    mneme_run_options folder = {.directory = options->directory,
                                .overrides = options->overrides,
                                .n_overrides = options->n_overrides,
                                .progress = options->progress,
                                .user = options->user};
    if (options->to > 0 && options->from > options->to) {
        return error_set(error, MNEME_BAD_INPUT, "the window of steps ends before it begins");
    }
    mneme_status status = experiment_open(&folder, IDENTITY_RUN, &v.experiment, error);
    if (status != MNEME_OK) return status;
    const char *mark = matmul_backend_mark();
    status = mark == NULL ? verify(&v, verification, error)
                          : error_set(error, MNEME_BAD_INPUT,
                                      "%s: is not canonical (products by %s): its bits depend "
                                      "on CPU and library",
                                      options->directory, mark);
    experiment_close(&v.experiment);
    return status;
}
