#include "budget/eval_budget.h"

#include <stdint.h>

#include "base/path.h"
#include "budget/model_work.h"
#include "exam/examination.h"
#include "patch/patch_model.h"
#include "teach/teach.h"

/* Where a file will be. */
static struct path folder_of(const char *path) {
    return path == NULL ? path_in("", ".") : path_parent(path);
}

/* Passes over what the files hold. */
static struct stage_needs eval_needs(const struct model *model, const struct exam_extent *extent) {
    const struct pass_work read = {extent->read_tokens, extent->mean_length, extent->predicted};
    const struct pass_work written = {extent->written_tokens, extent->mean_length,
                                      extent->written_tokens};
    return (struct stage_needs){
        .flops = work_forward(model, &read, 0) + work_forward(model, &written, 0),
        .moved = extent->written_passes * work_weight_bytes(model, 1.0)};
}

mneme_status eval_budget(const mneme_eval_options *options, struct budget *budget,
                         mneme_error *error) {
    mneme_eval_options silent = *options;
    struct language_model language = {0};
    struct exam_extent extent = {0};
    silent.progress = NULL;
    const struct path folder = folder_of(options->answers);
    budget_open(budget, folder.text);
    mneme_status status = patch_language_open(&language, options->model, options->patch, error);
    THEN(examination_rehearse(&language, &silent, &extent, error));
    budget->room = machine_room("/", folder.text);
    const struct stage_needs needs =
        status == MNEME_OK ? eval_needs(&language.model, &extent) : (struct stage_needs){0};
    language_model_close(&language);
    return budget_add(budget, status, &needs, error, "evaluate");
}

/* Most of a patch: rows before and after, and the background. */
static size_t patch_bytes(const struct teach_extent *extent) {
    const size_t slots = model_n_slots(&extent->config), changed = extent->n_facts * extent->t;
    const size_t row = extent->config.memory.v_dim * sizeof(float);
    return slots * sizeof(uint32_t) + 2 * (changed < slots ? changed : slots) * row;
}

/* Of teaching: the steps, as many as there may be. A step's texts are read up to the memory once a
 * fact. */
static mneme_status teach_needs(const struct teach_extent *extent, struct stage_needs *needs,
                                mneme_error *error) {
    struct model model;
    TRY(model_describe(&extent->config, &model, error));
    const size_t lowest = extent->config.memory.layers[0];
    const double tokens = (double)extent->batch_tokens;
    const struct pass_work work = {tokens, 32.0, tokens};
    const double of_step =
        work_forward(&model, &work, lowest) + work_backward(&model, &work, lowest, false);
    needs->flops = (double)extent->n_facts *
                   (work_forward(&model, &work, 0) + (double)extent->max_steps * of_step);
    model_close(&model);
    return MNEME_OK;
}

mneme_status teach_budget(const mneme_teach_options *options, struct budget *budget,
                          mneme_error *error) {
    struct teach_extent extent;
    struct stage_needs needs = {0};
    const struct path folder = folder_of(options->patch);
    budget_open(budget, folder.text);
    mneme_status status = teach_rehearse(options, &extent, error);
    if (status == MNEME_OK) {
        needs.disk = patch_bytes(&extent);
        status = teach_needs(&extent, &needs, error);
    }
    budget->room = machine_room("/", folder.text);
    return budget_add(budget, status, &needs, error, "teach, at most");
}
