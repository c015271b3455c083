#include "experiment/pretraining.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/random.h"
#include "experiment/model_folder.h"
#include "experiment/trail.h"
#include "model/batch_builder.h"
#include "model/parameter_digest.h"
#include "train/checkpoint.h"
#include "train/step.h"
#include "train/text_order.h"

/* A pretraining under way. */
struct pretraining {
    struct experiment *experiment;
    const struct recipe_pretrain *recipe;
    struct optimizer optimizer;
    struct workspace workspace;
    struct batch_builder builder;
    struct text_order order;
    struct batch *micro_batches; /* [micro_batches] */
    size_t *starts;              /* their sequence starts, one after the other */
    struct trail trail;
    char *checkpoint;
    size_t tokens; /* of this call */
};

size_t pretraining_batch_tokens(const struct experiment *experiment) {
    size_t longest = token_texts_longest(&experiment->pretraining);
    size_t wanted = experiment->recipe.pretrain.batch_tokens;
    return wanted > longest ? wanted : longest;
}

static mneme_status open_optimizer(struct pretraining *p, mneme_error *error) {
    const struct recipe_pretrain *r = p->recipe;
    struct adamw_settings settings = {.beta1 = r->beta1,
                                      .beta2 = r->beta2,
                                      .eps = r->eps,
                                      .weight_decay = r->weight_decay,
                                      .values_weight_decay = r->values_weight_decay,
                                      .clip = r->clip};
    struct parameter **list;
    size_t n;
    mneme_status status = optimizer_list_model(&p->experiment->model, &list, &n, error);
    if (status != MNEME_OK) return status;
    status = optimizer_open(&p->optimizer, &settings, list, n, error);
    free(list);
    return status;
}

static mneme_status open_parts(struct pretraining *p, mneme_error *error) {
    struct experiment *e = p->experiment;
    size_t tokens = pretraining_batch_tokens(e);
    p->checkpoint = experiment_path(e, "pretrain/checkpoint.safetensors");
    p->micro_batches = calloc(p->recipe->micro_batches, sizeof *p->micro_batches);
    p->starts = calloc(tokens + p->recipe->micro_batches + 1, sizeof *p->starts);
    if (p->checkpoint == NULL || p->micro_batches == NULL || p->starts == NULL) {
        return error_set_memory(error, "pretraining");
    }
    mneme_status status = open_optimizer(p, error);
    if (status == MNEME_OK) status = batch_builder_open(&p->builder, tokens, error);
    if (status == MNEME_OK) {
        status = workspace_open(&p->workspace, &e->model, tokens, true, error);
    }
    if (status == MNEME_OK) {
        status = text_order_open(&p->order, &e->pretraining, e->recipe.seed, RANDOM_STREAM_SHUFFLE,
                                 error);
    }
    return status;
}

static void close_parts(struct pretraining *p) {
    trail_close(&p->trail);
    text_order_close(&p->order);
    workspace_close(&p->workspace);
    batch_builder_close(&p->builder);
    optimizer_close(&p->optimizer);
    free(p->starts);
    free(p->micro_batches);
    free(p->checkpoint);
}

/* From the last checkpoint, or from the beginning. */
static mneme_status begin(struct pretraining *p, mneme_error *error) {
    struct experiment *e = p->experiment;
    char *folder = experiment_path(e, "pretrain"),
         *trail = experiment_path(e, "pretrain/trail.jsonl");
    mneme_status status = folder == NULL || trail == NULL ? error_set_memory(error, "pretraining")
                                                          : directory_make(folder, error);
    if (status == MNEME_OK && file_exists(p->checkpoint)) {
        status = checkpoint_load(p->checkpoint, &e->model, &p->optimizer, &p->order.cursor, error);
    } else if (status == MNEME_OK) {
        model_initialize(&e->model, e->recipe.seed);
    }
    if (status == MNEME_OK) status = trail_open(&p->trail, trail, p->optimizer.step, error);
    free(folder);
    free(trail);
    return status;
}

/* Cuts the batch into parts of whole sequences, as equal in number as can be. */
static size_t cut(struct pretraining *p) {
    size_t parts = p->recipe->micro_batches, sequences = p->builder.n_sequences, n = 0;
    size_t *starts = p->starts;
    for (size_t i = 0; i < parts; i++) {
        size_t first = sequences * i / parts, end = sequences * (i + 1) / parts;
        if (first == end) continue;
        p->micro_batches[n++] = batch_builder_part(&p->builder, first, end, starts);
        starts += end - first + 1;
    }
    return n;
}

/* A digest is taken where a checkpoint is due, and at the end. */
static bool is_due(const struct pretraining *p) {
    size_t every = p->recipe->checkpoint_every, step = p->optimizer.step;
    return step == p->recipe->steps || (every > 0 && step % every == 0);
}

static mneme_status leave_trail(struct pretraining *p, float lr, const struct step_result *result,
                                mneme_error *error) {
    struct digest digest;
    struct trail_line line = {.step = p->optimizer.step,
                              .tokens = p->builder.n_tokens,
                              .lr = lr,
                              .loss = result->loss,
                              .gradient_norm = &result->gradient_norm};
    if (is_due(p)) {
        mneme_status status = parameter_digest_model(&p->experiment->model, &digest, error);
        if (status != MNEME_OK) return status;
        line.digest = &digest;
    }
    return trail_add(&p->trail, &line, error);
}

static mneme_status one_step(struct pretraining *p, mneme_error *error) {
    const struct recipe_pretrain *r = p->recipe;
    struct schedule schedule = {.kind = r->schedule,
                                .warmup = r->warmup,
                                .steps = r->steps,
                                .lr_min_ratio = r->lr_min_ratio};
    size_t step = p->optimizer.step;
    float factor = schedule_factor(&schedule, step);
    text_order_fill(&p->order, &p->builder, p->builder.max_tokens);
    size_t n = cut(p);
    struct step_result result;
    mneme_status status =
        step_run(&p->experiment->model, &p->workspace, &p->optimizer, p->micro_batches, n, 0,
                 factor * r->lr, factor * r->values_lr, &result, error);
    if (status != MNEME_OK) return status;
    p->tokens += p->builder.n_tokens;
    experiment_progress(p->experiment, "pretrain", "steps", step + 1, r->steps, p->tokens,
                        &result.loss);
    return leave_trail(p, factor * r->lr, &result, error);
}

static mneme_status save_checkpoint(struct pretraining *p, mneme_error *error) {
    mneme_status status = trail_flush(&p->trail, error);
    if (status != MNEME_OK) return status;
    return checkpoint_save(p->checkpoint, &p->experiment->model, &p->optimizer, p->order.cursor,
                           error);
}

static mneme_status train(struct pretraining *p, mneme_error *error) {
    const struct recipe_pretrain *r = p->recipe;
    while (p->optimizer.step < r->steps) {
        mneme_status status = one_step(p, error);
        if (status == MNEME_OK && is_due(p) && p->optimizer.step < r->steps) {
            status = save_checkpoint(p, error);
        }
        if (status != MNEME_OK) return status;
    }
    return trail_flush(&p->trail, error);
}

static mneme_status pretrain(struct experiment *experiment, const char *folder,
                             mneme_error *error) {
    struct pretraining p = {.experiment = experiment, .recipe = &experiment->recipe.pretrain};
    mneme_status status = open_parts(&p, error);
    if (status == MNEME_OK) status = begin(&p, error);
    if (status == MNEME_OK) status = train(&p, error);
    if (status == MNEME_OK) status = model_folder_save(experiment, folder, error);
    if (status == MNEME_OK) unlink(p.checkpoint);
    close_parts(&p);
    return status;
}

mneme_status pretraining_run(struct experiment *experiment, mneme_error *error) {
    char *folder = experiment_path(experiment, "base");
    if (folder == NULL) return error_set_memory(error, "a path");
    mneme_status status = model_folder_exists(folder) ? model_folder_load(experiment, folder, error)
                                                      : pretrain(experiment, folder, error);
    free(folder);
    return status;
}
