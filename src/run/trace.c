#include "run/trace.h"

#include <stdio.h>
#include <stdlib.h>

#include "nn/matmul_backend.h"
#include "run/replay.h"

/* The stage's steps up to the one that is recorded; the first that differs is noted. */
static mneme_status replay_to(const mneme_trace_options *options, struct replay *replay,
                              struct recorder *recorder, mneme_trace_result *result,
                              mneme_error *error) {
    size_t start = replay_steps(replay), tokens = 0;
    for (size_t step = start + 1; step <= options->step; step++) {
        struct trail_line line;
        char *found;
        if (step == options->step) replay_record(replay, recorder);
        TRY(replay_step(replay, &line, &found, error));
        if (found != NULL && result->different_step == 0) result->different_step = line.step;
        free(found);
        tokens += line.tokens;
        experiment_progress(replay->experiment, options->stage, "steps", step - start,
                            options->step - start, tokens, &line.loss);
    }
    return MNEME_OK;
}

static mneme_status save(const mneme_trace_options *options, const struct recorder *recorder,
                         mneme_error *error) {
    char step[32];
    snprintf(step, sizeof step, "%zu", options->step);
    const char *mark = matmul_backend_mark();
    const struct safetensors_metadata metadata[] = {
        {"stage", options->stage}, {"step", step}, {SAFETENSORS_NOT_CANONICAL, mark}};
    return recorder_save(recorder, options->output, metadata, mark == NULL ? 2 : 3, error);
}

static mneme_status trace(const mneme_trace_options *options, struct replay *replay,
                          struct recorder *recorder, mneme_trace_result *result,
                          mneme_error *error) {
    if (options->step == 0 || options->step > replay->trail.n) {
        return error_set(error, MNEME_BAD_INPUT, "%s: has steps 1 to %zu, not %zu",
                         replay->trail.path, replay->trail.n, options->step);
    }
    TRY(replay_begin(replay, options->step - 1, error));
    TRY(replay_to(options, replay, recorder, result, error));
    return save(options, recorder, error);
}

static mneme_status trace_stage(const mneme_trace_options *options, struct experiment *experiment,
                                mneme_trace_result *result, mneme_error *error) {
    struct stage stage;
    struct replay replay = {0};
    struct recorder recorder = {0};
    TRY(replay_find_stage(&experiment->recipe, options->stage, &stage, error));
    mneme_status status = replay_open(&replay, experiment, &stage, NULL, error);
    THEN(trace(options, &replay, &recorder, result, error));
    result->n_tensors = recorder.n;
    recorder_close(&recorder);
    replay_close(&replay);
    return status;
}

mneme_status trace_run(const mneme_trace_options *options, mneme_trace_result *result,
                       mneme_error *error) {
    struct experiment experiment;
    const mneme_run_options folder = {.directory = options->directory,
                                      .overrides = options->overrides,
                                      .n_overrides = options->n_overrides,
                                      .progress = options->progress,
                                      .user = options->user};
    TRY(experiment_open(&folder, IDENTITY_RUN, &experiment, error));
    mneme_status status = trace_stage(options, &experiment, result, error);
    experiment_close(&experiment);
    return status;
}
