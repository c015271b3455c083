#include "budget/run_budget.h"

#include <stdlib.h>
#include <string.h>

#include "budget/model_work.h"
#include "compare/cell.h"
#include "run/background_stage.h"
#include "run/base_model.h"
#include "run/evaluation.h"
#include "run/finetuning.h"
#include "run/pretraining.h"
#include "smf/model_background.h"
#include "train/text_order.h"

/* A variant whose stages are added. */
struct planned {
    struct budget *budget;
    const struct plan *plan;
    struct experiment *experiment;
    const char *prefix; /* of the stages' names: "seed-2/", or "" */
};

static double mean_length(const struct token_texts *texts) {
    double sum = 0.0;
    for (size_t i = 0; i < texts->n; i++) sum += (double)texts->lengths[i];
    return texts->n == 0 ? 0.0 : sum / (double)texts->n;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t model_bytes(const struct experiment *e) {
    return model_count(&e->model) * sizeof(float);
}

/* Numbers of a part that trains. */
static mneme_status count_trained(struct model *model, enum trained_part part, size_t *count,
                                  mneme_error *error) {
    struct parameter **list = NULL;
    size_t n;
    *count = 0;
    TRY(optimizer_list_part(model, part, &list, &n, error));
    for (size_t i = 0; i < n; i++) *count += list[i]->count;
    free(list);
    return MNEME_OK;
}

/* AdamW's operations and bytes on so many numbers. */
static void add_updates(double count, struct stage_needs *needs) {
    needs->flops += 15.0 * count;
    needs->moved += 28.0 * count;
}

/* Texts of the pretraining, which packed text makes as long as they may be. */
static double pretraining_length(const struct experiment *e) {
    return e->text.n_tokens > 0 ? (double)e->text.sequence_length : mean_length(&e->pretraining);
}

static mneme_status add_pretraining(const struct planned *p, mneme_error *error) {
    struct experiment *e = p->experiment;
    const struct recipe_pretrain *r = &e->recipe.pretrain;
    const struct pass_work work = {.tokens = (double)pretraining_batch_tokens(e),
                                   .length = pretraining_length(e),
                                   .predicted = (double)pretraining_batch_tokens(e)};
    const size_t lowest = optimizer_extent(&e->model, r->train).lowest_layer;
    struct stage_needs needs = {.disk = model_bytes(e) + e->text.n_tokens * sizeof(int32_t)};
    size_t trained;
    if (r->steps == 0) {
        return budget_add(p->budget, base_model_begin(e, error), &needs, error, "%sbase",
                          p->prefix);
    }
    TRY(count_trained(&e->model, r->train, &trained, error));
    needs.flops = work_forward(&e->model, &work, 0) * (r->checkpoint_activations ? 2.0 : 1.0) +
                  work_backward(&e->model, &work, lowest, true);
    add_updates((double)trained, &needs);
    needs.flops *= (double)r->steps;
    needs.moved *= (double)r->steps;
    /* The new one is whole before the one before goes. */
    const size_t checkpoints = r->checkpoint_every == 0 ? 0 : (r->steps - 1) / r->checkpoint_every;
    const size_t of_checkpoint = 3 * trained * sizeof(float);
    if (r->keep_checkpoints) needs.disk += checkpoints * of_checkpoint;
    if (!r->keep_checkpoints) needs.scratch_disk = smaller(checkpoints, 2) * of_checkpoint;
    return budget_add(p->budget, pretraining_rehearse(e, error), &needs, error, "%spretrain",
                      p->prefix);
}

/* The questions of a side: read, answered and, where answers are scored, read with them. */
static void add_asking(const struct experiment *e, const struct fact_tokens *facts, size_t n,
                       struct stage_needs *needs) {
    const double length = mean_length(&facts->prompts), count = (double)n;
    const double new_tokens = (double)e->recipe.evaluate.max_new_tokens;
    const struct pass_work read = {count * length, length, count};
    const struct pass_work written = {count * new_tokens, 2.0 * length, count * new_tokens};
    needs->flops += work_forward(&e->model, &read, 0) + work_forward(&e->model, &written, 0);
    needs->moved += (n > 0 ? new_tokens : 0.0) * work_weight_bytes(&e->model, count);
    if (!e->answer_lines) return;
    const double answered = mean_length(&facts->answered);
    const struct pass_work scored = {count * answered, answered, count * (answered - length + 1.0)};
    needs->flops += work_forward(&e->model, &scored, 0);
}

static struct stage_needs evaluation_needs(const struct experiment *e) {
    const size_t asked = e->recipe.evaluate.known_questions;
    const size_t n_known = asked == 0 ? e->known.n : smaller(asked, e->known.n);
    const double length = mean_length(&e->skill_test);
    const double tokens = length * (double)e->skill_test.n + (double)e->held_out_text.n_tokens;
    const struct pass_work work = {tokens, length, tokens};
    struct stage_needs needs = {.flops = work_forward(&e->model, &work, 0)};
    add_asking(e, &e->fresh, e->fresh.n, &needs);
    add_asking(e, &e->known, n_known, &needs);
    return needs;
}

static mneme_status add_evaluation(const struct planned *p, const char *of, mneme_error *error) {
    const struct stage_needs needs = evaluation_needs(p->experiment);
    struct scores scores;
    return budget_add(p->budget, evaluation_run(p->experiment, NULL, NULL, &scores, error), &needs,
                      error, "%sevaluate %s", p->prefix, of);
}

static mneme_status add_background(const struct planned *p, mneme_error *error) {
    const struct experiment *e = p->experiment;
    const size_t given = e->recipe.background.batch_tokens;
    const double tokens = (double)(given > 0 ? given : pretraining_batch_tokens(e)) *
                          (double)e->recipe.background.batches;
    const struct pass_work work = {tokens, pretraining_length(e), 0.0};
    const struct stage_needs needs = {.flops = work_forward(&e->model, &work, 0),
                                      .disk = 2 * model_background_slots(&e->model) * 4};
    struct background background = {0};
    mneme_status status = background_stage_count(e, &background, error);
    background_close(&background);
    return budget_add(p->budget, status, &needs, error, "%sbackground", p->prefix);
}

/* Opens the teaching as its first step finds it. */
static mneme_status rehearse_teaching(struct experiment *e, const struct stage *stage,
                                      size_t *trainable, mneme_error *error) {
    struct background background = {0};
    struct teaching teaching = finetuning_of(e, stage, &background);
    mneme_status status = MNEME_OK;
    if (stage->method->needs_background) {
        status = background_open(&background, model_background_slots(&e->model), error);
    }
    THEN(teaching_open(&teaching, error));
    if (status == MNEME_OK) *trainable = stage->method->n_trainable(&teaching);
    teaching_close(&teaching);
    background_close(&background);
    return status;
}

static struct stage_needs teaching_needs(const struct experiment *e, const struct stage *stage,
                                         size_t trainable) {
    const struct recipe_finetune *r = &e->recipe.finetune;
    const bool sparse = stage->method->needs_background;
    const double length = mean_length(&e->lessons.texts);
    const double tokens = (double)r->paraphrases * length;
    const struct pass_work work = {tokens, length, tokens};
    const size_t lowest = sparse ? e->recipe.model.memory.layers[0] : 0;
    const double again = r->checkpoint_activations ? work_forward(&e->model, &work, lowest) : 0.0;
    const double steps = (double)(e->lessons.n * r->steps_per_fact);
    struct stage_needs needs = {.flops = work_forward(&e->model, &work, 0) + again +
                                         work_backward(&e->model, &work, lowest, !sparse)};
    add_updates((double)trainable, &needs);
    needs.flops *= steps;
    needs.moved *= steps;
    return needs;
}

static mneme_status add_cell(const struct planned *p, size_t variant, size_t series, size_t number,
                             mneme_error *error) {
    struct experiment *e = p->experiment;
    struct cell cell;
    size_t trainable = 0;
    TRY(cell_open(&cell, p->plan, variant, series, number, error));
    e->recipe.finetune = cell.settings;
    mneme_status status = rehearse_teaching(e, &cell.stage, &trainable, error);
    struct stage_needs needs = teaching_needs(e, &cell.stage, trainable);
    const struct stage_needs asking = evaluation_needs(e);
    needs.flops += asking.flops;
    needs.moved += asking.moved;
    if (p->plan->kind == PLAN_RUN) needs.scratch_disk = (number + 1) * model_bytes(e);
    if (p->plan->kind == PLAN_RUN && number == 0) needs.disk = model_bytes(e); /* the chosen one */
    return budget_add(p->budget, status, &needs, error, "%s%s", p->prefix, cell.stage.name);
}

static bool needs_background(const struct planned *p) {
    for (size_t s = 0; s < p->plan->n_series; s++) {
        if (p->plan->series[s].method->needs_background) return true;
    }
    return plan_n_cells(p->plan) == 0 && p->experiment->model.n_tables > 0;
}

static mneme_status add_stages(const struct planned *p, size_t variant, mneme_error *error) {
    TRY(add_pretraining(p, error));
    TRY(add_evaluation(p, "base", error));
    if (needs_background(p)) TRY(add_background(p, error));
    for (size_t s = 0; s < p->plan->n_series; s++) {
        for (size_t c = 0; c < p->plan->series[s].n_cells; c++) {
            TRY(add_cell(p, variant, s, c, error));
        }
    }
    return MNEME_OK;
}

/* The variant's experiment, and its stages. One whose model cannot even be reserved has that as
 * its only stage. */
static mneme_status add_variant(const mneme_run_options *options, const struct plan *plan,
                                size_t variant, struct budget *budget, mneme_error *error) {
    const char *folder = plan->variants[variant].folder;
    const struct path prefix = path_in("", "%s%s", folder, folder[0] == '\0' ? "" : "/");
    const struct path directory = folder[0] == '\0' ? path_in("", "%s", options->directory)
                                                    : path_in(options->directory, "%s", folder);
    mneme_run_options own = *options;
    struct experiment *experiment = calloc(1, sizeof *experiment);
    const char **overrides =
        plan_overrides(options->n_overrides, options->overrides, &plan->variants[variant].choice);
    mneme_status status =
        experiment == NULL || overrides == NULL ? error_set_memory(error, "the plan") : MNEME_OK;
    own.directory = directory.text;
    own.overrides = overrides;
    own.n_overrides += plan->variants[variant].choice.n_overrides;
    own.progress = NULL;
    THEN(experiment_open(&own, IDENTITY_BASE, experiment, error));
    if (status == MNEME_OK) {
        const struct planned planned = {budget, plan, experiment, prefix.text};
        if (variant == 0) budget_note_process(budget, options->directory);
        status = add_stages(&planned, variant, error);
        experiment_close(experiment);
    } else if (budget->rehearsal.refused > 0) {
        status =
            budget_add(budget, status, &(struct stage_needs){0}, error, "%smodel", prefix.text);
    }
    free(overrides);
    free(experiment);
    return status;
}

mneme_status run_budget(enum plan_kind kind, const mneme_run_options *options,
                        struct budget *budget, mneme_error *error) {
    struct plan plan;
    *budget = (struct budget){0};
    TRY(plan_load(kind, options->recipe, options->overrides, options->n_overrides, &plan, error));
    budget_open(budget, options->directory);
    mneme_status status = MNEME_OK;
    for (size_t v = 0; v < plan.n_variants && status == MNEME_OK; v++) {
        status = add_variant(options, &plan, v, budget, error);
    }
    plan_free(&plan);
    return status;
}
