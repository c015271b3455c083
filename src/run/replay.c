#include "run/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "run/background_stage.h"
#include "run/model_folder.h"

static mneme_status open_finetuning(struct replay *replay, mneme_error *error) {
    struct experiment *e = replay->experiment;
    char *base = experiment_path(e, "base");
    mneme_status status =
        base == NULL ? error_set_memory(error, "a path") : model_folder_load(e, base, error);
    free(base);
    if (status == MNEME_OK) status = experiment_keep_base(e, error);
    if (status == MNEME_OK && replay->stage.method == METHOD_SMF) {
        status = background_stage_load(e, &replay->background, error);
    }
    if (status != MNEME_OK) return status;
    return finetuning_open(&replay->finetuning, e, &replay->stage, &replay->background, error);
}

mneme_status replay_open(struct replay *replay, struct experiment *experiment,
                         const struct stage *stage, size_t steps, mneme_error *error) {
    *replay = (struct replay){.experiment = experiment, .stage = *stage};
    if (!stage->is_pretraining) return open_finetuning(replay, error);
    mneme_status status = pretraining_open(&replay->pretraining, experiment, error);
    return status == MNEME_OK ? pretraining_begin(&replay->pretraining, steps, error) : status;
}

void replay_close(struct replay *replay) {
    pretraining_close(&replay->pretraining);
    finetuning_close(&replay->finetuning);
    background_close(&replay->background);
    *replay = (struct replay){0};
}

size_t replay_steps(const struct replay *replay) {
    return replay->stage.is_pretraining ? replay->pretraining.optimizer.step
                                        : replay->finetuning.steps;
}

mneme_status replay_step(struct replay *replay, struct trail_line *line, mneme_error *error) {
    if (replay->stage.is_pretraining) return pretraining_step(&replay->pretraining, line, error);
    bool diverged;
    mneme_status status = finetuning_step(&replay->finetuning, line, &diverged, error);
    if (status != MNEME_OK || !diverged) return status;
    return error_set(error, MNEME_FAILED, "%s: step %zu diverges in the replay", replay->stage.name,
                     line->step);
}

void replay_record(struct replay *replay, struct recorder *recorder) {
    replay->pretraining.workspace.recorder = recorder;
    replay->finetuning.workspace.recorder = recorder;
}

char *replay_trail_path(const char *directory, const struct stage *stage) {
    char *folder = stage_folder(directory, stage);
    char *path = folder == NULL ? NULL : path_join(folder, "trail.jsonl");
    free(folder);
    return path;
}

mneme_status replay_find_stage(const struct recipe *recipe, const char *name, struct stage *stage,
                               mneme_error *error) {
    size_t n;
    struct stage *stages = stage_list(recipe, &n);
    if (stages == NULL) return error_set_memory(error, "the stages");
    struct text names = {0};
    bool found = false;
    for (size_t i = 0; i < n && !found; i++) {
        text_add(&names, "%s%s", i > 0 ? ", " : "", stages[i].name);
        found = strcmp(stages[i].name, name) == 0;
        if (found) *stage = stages[i];
    }
    char *list = text_take(&names);
    mneme_status status =
        found ? MNEME_OK
              : error_set(error, MNEME_BAD_INPUT, "the run has no stage `%s`; it has %s", name,
                          list == NULL ? "others" : list);
    free(list);
    free(stages);
    return status;
}
