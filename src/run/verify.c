#include "run/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/model.h"
#include "nn/matmul_backend.h"
#include "run/background_stage.h"
#include "run/folder.h"
#include "run/model_folder.h"
#include "run/replay.h"
#include "tensor/model_digest.h"

static const char background_name[] = "background";

/* A verification under way. */
struct verifying {
    const mneme_verify_options *options;
    struct experiment experiment;
    mneme_verification *verification;
    mneme_verified_stage *stage; /* that is being compared */
};

static void begin_stage(struct verifying *v, const char *name) {
    v->stage = &v->verification->stages[v->verification->n_stages++];
    snprintf(v->stage->name, sizeof v->stage->name, "%s", name);
    v->stage->equal = true;
}

static mneme_status set_different(mneme_verified_stage *stage, size_t step, const char *recorded,
                                  const char *found, mneme_error *error) {
    stage->equal = false;
    stage->different_step = step;
    stage->recorded = strdup(recorded);
    stage->found = strdup(found);
    return stage->recorded == NULL || stage->found == NULL ? error_set_memory(error, "a comparison")
                                                           : MNEME_OK;
}

/* Steps up to the last one that is to be compared, or to the first that differs. */
static mneme_status compare_steps(struct verifying *v, struct replay *replay, mneme_error *error) {
    mneme_verified_stage *stage = v->stage;
    size_t tokens = 0, start = replay_steps(replay);
    stage->start = start;
    while (replay_steps(replay) < stage->last && stage->equal) {
        struct trail_line line;
        char *found;
        mneme_status status = replay_step(replay, &line, &found, error);
        if (status != MNEME_OK) return status;
        tokens += line.tokens;
        experiment_progress(&v->experiment, stage->name, "steps", line.step - start,
                            stage->last - start, tokens, &line.loss);
        if (found != NULL && line.step >= stage->first) {
            status =
                set_different(stage, line.step, replay->trail.lines[line.step - 1], found, error);
        }
        free(found);
        if (status != MNEME_OK) return status;
    }
    return MNEME_OK;
}

/* The digest of the model that the stage left; "" where its weights are not there any more. */
static mneme_status recorded_end(const char *directory, const struct stage *stage, char digest[65],
                                 mneme_error *error) {
    struct path folder = stage_model_folder(directory, stage);
    struct path model = path_in(folder.text, FOLDER_MODEL);
    mneme_digest found = {0};
    digest[0] = '\0';
    if (!file_exists(model.text)) return MNEME_OK;
    TRY(model_digest_path(model.text, &found, error));
    memcpy(digest, found.sha256, 65);
    model_digest_free(&found);
    return MNEME_OK;
}

static mneme_status compare_end(struct verifying *v, struct replay *replay, mneme_error *error) {
    char recorded[65];
    struct digest found;
    TRY(recorded_end(v->options->directory, &replay->stage, recorded, error));
    if (recorded[0] == '\0') return MNEME_OK;
    TRY(replay_finish(replay, error));
    TRY(parameter_digest_model(&v->experiment.model, &found, error));
    if (strcmp(recorded, found.hex) == 0) return MNEME_OK;
    return set_different(v->stage, 0, recorded, found.hex, error);
}

/* The steps that were asked for, as far as the trail goes. */
static mneme_status compare_window(struct verifying *v, struct replay *replay, mneme_error *error) {
    size_t from = v->options->from, to = v->options->to, n = replay->trail.n;
    v->stage->first = from > 0 ? from : 1;
    v->stage->last = to > 0 && to < n ? to : n;
    TRY(replay_begin(replay, v->stage->first - 1, error));
    TRY(compare_steps(v, replay, error));
    return v->stage->equal && v->stage->last == n ? compare_end(v, replay, error) : MNEME_OK;
}

static mneme_status verify_stage(struct verifying *v, const struct stage *stage,
                                 mneme_error *error) {
    struct replay replay = {0};
    begin_stage(v, stage->name);
    mneme_status status = replay_open(&replay, &v->experiment, stage, error);
    THEN(compare_window(v, &replay, error));
    replay_close(&replay);
    return status;
}

static bool counts_are_equal(const struct background *a, const struct background *b) {
    size_t n = a->n_slots;
    return a->n_batches == b->n_batches &&
           memcmp(a->batches_reading, b->batches_reading, n * sizeof *a->batches_reading) == 0 &&
           memcmp(a->reads, b->reads, n * sizeof *a->reads) == 0;
}

/* The background has no steps: it is counted anew and compared as a whole. */
static mneme_status verify_background(struct verifying *v, mneme_error *error) {
    struct background recorded = {0}, found = {0};
    struct experiment *e = &v->experiment;
    begin_stage(v, background_name);
    mneme_status status = model_folder_load(e, e->base_folder, error);
    THEN(background_stage_load(e, &recorded, error));
    THEN(background_stage_count(e, &found, error));
    v->stage->first = 1;
    v->stage->last = found.n_batches;
    if (status == MNEME_OK && !counts_are_equal(&found, &recorded)) {
        status = set_different(v->stage, 0, FOLDER_BACKGROUND, "other counts", error);
    }
    background_close(&recorded);
    background_close(&found);
    return status;
}

static mneme_status verify_named(struct verifying *v, const char *name, mneme_error *error) {
    struct stage stage;
    if (strcmp(name, background_name) == 0) return verify_background(v, error);
    TRY(replay_find_stage(&v->experiment.recipe, name, &stage, error));
    return verify_stage(v, &stage, error);
}

/* The background comes after the pretraining. */
static mneme_status verify_all(struct verifying *v, const struct stage *stages, size_t n,
                               mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        TRY(verify_stage(v, &stages[i], error));
        if (i > 0 || !method_background_needed(&v->experiment.recipe.finetune)) continue;
        TRY(verify_background(v, error));
    }
    return MNEME_OK;
}

static mneme_status verify(struct verifying *v, mneme_error *error) {
    size_t n;
    struct stage *stages = stage_list(&v->experiment.recipe, &n);
    mneme_verification *verification = v->verification;
    if (stages == NULL) return error_set_memory(error, "the stages");
    verification->stages = calloc(n + 1, sizeof *verification->stages);
    if (verification->stages == NULL) {
        free(stages);
        return error_set_memory(error, "the stages");
    }
    const char *named = v->options->stage;
    mneme_status status =
        named != NULL ? verify_named(v, named, error) : verify_all(v, stages, n, error);
    free(stages);
    verification->equal = true;
    for (size_t i = 0; i < verification->n_stages; i++) {
        verification->equal &= verification->stages[i].equal;
    }
    return status;
}

static mneme_status check_canonical(const char *directory, mneme_error *error) {
    const char *mark = matmul_backend_mark();
    if (mark == NULL) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: is not canonical (products by %s): its bits depend on CPU and library",
                     directory, mark);
}

mneme_status verify_run(const mneme_verify_options *options, mneme_verification *verification,
                        mneme_error *error) {
    struct verifying v = {.options = options, .verification = verification};
    const mneme_run_options folder = {.directory = options->directory,
                                      .overrides = options->overrides,
                                      .n_overrides = options->n_overrides,
                                      .progress = options->progress,
                                      .user = options->user};
    if (options->to > 0 && options->from > options->to) {
        return error_set(error, MNEME_BAD_INPUT, "the window of steps ends before it begins");
    }
    TRY(experiment_open(&folder, IDENTITY_RUN, &v.experiment, error));
    mneme_status status = check_canonical(options->directory, error);
    THEN(verify(&v, error));
    experiment_close(&v.experiment);
    return status;
}
