#include "run/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "folder/folder.h"
#include "run/background_stage.h"
#include "run/model_folder.h"

mneme_status replay_open(struct replay *replay, struct experiment *experiment,
                         const struct stage *stage, const char *folder, mneme_error *error) {
    *replay = (struct replay){.experiment = experiment, .stage = *stage};
    struct path own = stage_folder(experiment->directory, stage);
    struct path trail = path_in(folder == NULL ? own.text : folder, FOLDER_TRAIL);
    return trail_text_open(&replay->trail, trail.text, error);
}

static mneme_status begin_finetuning(struct replay *replay, mneme_error *error) {
    struct experiment *e = replay->experiment;
    TRY(model_folder_load(e, e->base_folder, error));
    if (replay->stage.method->needs_background) {
        TRY(background_stage_load(e, &replay->background, error));
    }
    replay->teaching = finetuning_of(e, &replay->stage, &replay->background);
    return teaching_open(&replay->teaching, error);
}

mneme_status replay_begin(struct replay *replay, size_t steps, mneme_error *error) {
    if (replay->stage.method != NULL) return begin_finetuning(replay, error);
    TRY(pretraining_open(&replay->pretraining, replay->experiment, error));
    return pretraining_begin(&replay->pretraining, steps, DAMAGED_REFUSED, error);
}

void replay_close(struct replay *replay) {
    pretraining_close(&replay->pretraining);
    teaching_close(&replay->teaching);
    background_close(&replay->background);
    trail_text_close(&replay->trail);
    *replay = (struct replay){0};
}

size_t replay_steps(const struct replay *replay) {
    return replay->stage.method == NULL ? replay->pretraining.optimizer.step
                                        : replay->teaching.steps;
}

static mneme_status teach(struct replay *replay, struct trail_line *line, mneme_error *error) {
    bool diverged;
    mneme_error cause;
    mneme_status status = finetuning_step(&replay->teaching, line, &diverged, &cause);
    if (diverged) {
        return error_set(error, MNEME_FAILED, "%s: step %zu diverges in the replay: %s",
                         replay->stage.name, line->step, cause.message);
    }
    if (status != MNEME_OK && error != NULL) *error = cause;
    return status;
}

mneme_status replay_step(struct replay *replay, struct trail_line *line, char **found,
                         mneme_error *error) {
    *found = NULL;
    TRY(replay->stage.method == NULL ? pretraining_step(&replay->pretraining, line, error)
                                     : teach(replay, line, error));
    *found = trail_line_text(line);
    if (*found == NULL) return error_set_memory(error, "a comparison");
    if (strcmp(*found, replay->trail.lines[line->step - 1]) != 0) return MNEME_OK;
    free(*found);
    *found = NULL;
    return MNEME_OK;
}

mneme_status replay_finish(struct replay *replay, mneme_error *error) {
    return replay->stage.method == NULL ? MNEME_OK : teaching_finish(&replay->teaching, error);
}

void replay_record(struct replay *replay, struct recorder *recorder) {
    replay->pretraining.pass.recorder = recorder;
    replay->teaching.pass.recorder = recorder;
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
