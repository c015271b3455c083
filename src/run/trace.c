#include "run/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/matmul_backend.h"
#include "run/replay.h"

/* Notes the first step that the replay tells otherwise than the trail. */
static mneme_status compare(const struct trail_text *trail, const struct trail_line *line,
                            mneme_trace_result *result, mneme_error *error) {
    if (result->different_step != 0) return MNEME_OK;
    char *found = trail_line_text(line);
    if (found == NULL) return error_set_memory(error, "a comparison");
    if (strcmp(found, trail->lines[line->step - 1]) != 0) result->different_step = line->step;
    free(found);
    return MNEME_OK;
}

static mneme_status replay_to(const mneme_trace_options *options, struct replay *replay,
                              const struct trail_text *trail, struct recorder *recorder,
                              mneme_trace_result *result, mneme_error *error) {
    size_t start = replay_steps(replay), tokens = 0;
    for (size_t step = start + 1; step <= options->step; step++) {
        struct trail_line line;
        if (step == options->step) replay_record(replay, recorder);
        mneme_status status = replay_step(replay, &line, error);
        if (status == MNEME_OK) status = compare(trail, &line, result, error);
        if (status != MNEME_OK) return status;
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

static mneme_status trace(const mneme_trace_options *options, struct experiment *experiment,
                          mneme_trace_result *result, mneme_error *error) {
    struct stage stage;
    struct trail_text trail = {0};
    struct replay replay = {0};
    struct recorder recorder = {0};
    mneme_status status = replay_find_stage(&experiment->recipe, options->stage, &stage, error);
    if (status != MNEME_OK) return status;
    char *path = replay_trail_path(options->directory, &stage);
    status =
        path == NULL ? error_set_memory(error, "a path") : trail_text_open(&trail, path, error);
    if (status == MNEME_OK && (options->step == 0 || options->step > trail.n)) {
        status = error_set(error, MNEME_BAD_INPUT, "%s: has steps 1 to %zu, not %zu", path, trail.n,
                           options->step);
    }
    if (status == MNEME_OK) {
        status = replay_open(&replay, experiment, &stage, options->step - 1, error);
    }
    if (status == MNEME_OK) {
        status = replay_to(options, &replay, &trail, &recorder, result, error);
    }
    if (status == MNEME_OK) status = save(options, &recorder, error);
    result->n_tensors = recorder.n;
    recorder_close(&recorder);
    replay_close(&replay);
    trail_text_close(&trail);
    free(path);
    return status;
}

mneme_status trace_run(const mneme_trace_options *options, mneme_trace_result *result,
                       mneme_error *error) {
    struct experiment experiment;
    mneme_run_options folder = {.directory = options->directory,
                                .overrides = options->overrides,
                                .n_overrides = options->n_overrides,
                                .progress = options->progress,
                                .user = options->user};
    mneme_status status = experiment_open(&folder, IDENTITY_RUN, &experiment, error);
    if (status != MNEME_OK) return status;
    status = trace(options, &experiment, result, error);
    experiment_close(&experiment);
    return status;
}
