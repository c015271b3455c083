#include "run/pretraining.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "folder/checkpoint_files.h"
#include "folder/folder.h"
#include "folder/manifest.h"
#include "folder/stage.h"
#include "model/model.h"
#include "run/base_model.h"
#include "run/model_folder.h"
#include "run/scores.h"
#include "train/checkpoint.h"
#include "train/step.h"

size_t pretraining_batch_tokens(const struct experiment *experiment) {
    size_t longest = text_order_longest(&experiment->pretraining, &experiment->text);
    size_t wanted = experiment->recipe.pretrain.batch_tokens;
    return wanted > longest ? wanted : longest;
}

static mneme_status open_optimizer(struct pretraining *p, mneme_error *error) {
    const struct recipe_pretrain *r = p->recipe;
    const struct adamw_settings settings = {.beta1 = r->beta1,
                                            .beta2 = r->beta2,
                                            .eps = r->eps,
                                            .weight_decay = r->weight_decay,
                                            .values_weight_decay = r->values_weight_decay,
                                            .clip = r->clip,
                                            .clip_values = r->clip_values};
    struct parameter **list;
    size_t n;
    TRY(optimizer_list_part(&p->experiment->model, r->train, &list, &n, error));
    mneme_status status = optimizer_open(&p->optimizer, &settings, list, n, error);
    free(list);
    return status;
}

static bool counts_slots(const struct recipe *recipe) {
    return recipe->model.memory.n_layers > 0 &&
           (recipe->base != NULL || recipe->corpus.text.n > 0 ||
            recipe->pretrain.train != TRAIN_ALL);
}

struct slot_usage *pretraining_usage(struct pretraining *p) {
    return p->usage.n_slots > 0 ? &p->usage : NULL;
}

/* What steps need: gradients and moments have three times the model's size. */
static mneme_status open_steps(struct pretraining *p, mneme_error *error) {
    const struct experiment *e = p->experiment;
    const size_t tokens = pretraining_batch_tokens(e);
    p->micro_batches = calloc(p->recipe->micro_batches, sizeof *p->micro_batches);
    p->starts = calloc(tokens + p->recipe->micro_batches + 1, sizeof *p->starts);
    if (p->micro_batches == NULL || p->starts == NULL) {
        return error_set_memory(error, "pretraining");
    }
    TRY(open_optimizer(p, error));
    TRY(batch_builder_open(&p->builder, tokens, error));
    TRY(pass_open_training(&p->pass, &e->model, tokens, p->recipe->checkpoint_activations, error));
    p->extent = optimizer_extent(&e->model, p->recipe->train);
    if (!counts_slots(&e->recipe)) return MNEME_OK;
    return slot_usage_open(&p->usage, &e->model, error);
}

mneme_status pretraining_open(struct pretraining *p, struct experiment *experiment,
                              mneme_error *error) {
    *p = (struct pretraining){.experiment = experiment, .recipe = &experiment->recipe.pretrain};
    if (p->recipe->steps > 0) TRY(open_steps(p, error));
    return text_order_open_packed(&p->order, &experiment->pretraining, &experiment->text,
                                  experiment->recipe.seed, RANDOM_STREAM_SHUFFLE, error);
}

void pretraining_close(struct pretraining *p) {
    text_order_close(&p->order);
    slot_usage_close(&p->usage);
    pass_close(&p->pass);
    batch_builder_close(&p->builder);
    optimizer_close(&p->optimizer);
    free(p->starts);
    free(p->micro_batches);
    *p = (struct pretraining){0};
}

static struct path trail_path(const struct pretraining *p) {
    return path_in(p->experiment->pretrain_folder, FOLDER_TRAIL);
}

/* The trail up to the checkpoint is the one that was written with it, and its last line has the
 * digest of these weights. */
static mneme_status check_trail(const struct pretraining *p, const char *checkpoint,
                                const struct checkpoint_trail *trail, mneme_error *error) {
    struct path path = trail_path(p);
    struct digest found;
    struct trail_line line;
    uint64_t bytes = trail->bytes;
    if (trail->known) {
        TRY(digest_of_prefix(path.text, &bytes, &found, error));
        if (bytes != trail->bytes || strcmp(found.hex, trail->digest.hex) != 0) {
            return error_set(error, MNEME_BAD_INPUT,
                             "%s: is damaged or was changed since %s was written, which has its "
                             "digest",
                             path.text, checkpoint);
        }
    }
    TRY(trail_read_step(path.text, p->optimizer.step, &line, error));
    TRY(parameter_digest_model(&p->experiment->model, &found, error));
    if (!line.has_digest || strcmp(found.hex, line.digest.hex) == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s: holds other weights than those whose digest %s has at step %zu",
                     checkpoint, path.text, p->optimizer.step);
}

static PATH_OUT_OF_LINE mneme_status load_checkpoint(struct pretraining *p, size_t step,
                                                     mneme_error *error) {
    struct experiment *e = p->experiment;
    struct path checkpoint = checkpoint_files_path(e->pretrain_folder, step);
    struct checkpoint_trail trail;
    bool sealed;
    TRY(checkpoint_load(checkpoint.text, &p->optimizer, &p->order.cursor, pretraining_usage(p),
                        &trail, &sealed, error));
    if (p->optimizer.step != step) {
        return error_set(error, MNEME_BAD_INPUT, "%s: holds step %zu", checkpoint.text,
                         p->optimizer.step);
    }
    TRY(check_trail(p, checkpoint.text, &trail, error));
    if (sealed && trail.known) return MNEME_OK;
    experiment_warn(e,
                    "%s: has no digest of itself: an earlier version wrote it, and damage to its "
                    "moments cannot be seen",
                    checkpoint.text);
    return MNEME_OK;
}

/* What a checkpoint does not have, since it is not trained. */
static mneme_status read_frozen(struct pretraining *p, mneme_error *error) {
    return p->recipe->train == TRAIN_ALL ? MNEME_OK : base_model_read(p->experiment, error);
}

static PATH_OUT_OF_LINE mneme_status find_state(struct pretraining *p, size_t steps,
                                                enum damaged_checkpoint damaged,
                                                mneme_error *error) {
    const char *folder = p->experiment->pretrain_folder;
    mneme_error first = {0}, cause = {0};
    size_t step = 0;
    do {
        TRY(checkpoint_files_last(folder, steps, &step, error));
        if (step == 0) break;
        TRY(read_frozen(p, error));
        if (load_checkpoint(p, step, &cause) == MNEME_OK) {
            if (first.message[0] != '\0') {
                experiment_warn(p->experiment, "%s; going on from step %zu", first.message, step);
            }
            return MNEME_OK;
        }
        if (first.message[0] == '\0') first = cause;
        steps = step - 1;
    } while (damaged == DAMAGED_PASSED_OVER && cause.status == MNEME_BAD_INPUT);
    if (first.message[0] == '\0') return base_model_begin(p->experiment, error);
    if (error != NULL) *error = first;
    return first.status;
}

static mneme_status pack_frozen(struct pretraining *p, mneme_error *error) {
    if (p->recipe->train == TRAIN_ALL || p->recipe->steps == 0) return MNEME_OK;
    return pass_pack_frozen(&p->pass, p->extent.lowest_layer, &p->optimizer.gradients, error);
}

mneme_status pretraining_begin(struct pretraining *p, size_t steps, enum damaged_checkpoint damaged,
                               mneme_error *error) {
    TRY(find_state(p, steps, damaged, error));
    return pack_frozen(p, error);
}

mneme_status pretraining_rehearse(struct experiment *experiment, mneme_error *error) {
    struct pretraining pretraining;
    mneme_status status = pretraining_open(&pretraining, experiment, error);
    THEN(base_model_begin(experiment, error));
    THEN(pack_frozen(&pretraining, error));
    pretraining_close(&pretraining);
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

mneme_status pretraining_diverged(const struct experiment *e, size_t step, mneme_error *error) {
    const struct recipe_pretrain *r = &e->recipe.pretrain;
    struct divergence divergence;
    divergence_set(&divergence, step, error == NULL ? NULL : error->message);
    return error_set(error, MNEME_FAILED,
                     "%s: pretraining diverged at step %zu of %zu: %s; `pretrain.lr` is %g, "
                     "`pretrain.values_lr` %g: try lower ones, in another folder",
                     e->recipe.path, step, r->steps, divergence.cause, (double)r->lr,
                     (double)r->values_lr);
}

static mneme_status take_digest(const struct pretraining *p, struct digest *digest,
                                mneme_error *error) {
    if (model_is_finite(&p->experiment->model)) {
        return parameter_digest_model(&p->experiment->model, digest, error);
    }
    error_set(error, MNEME_FAILED, "a weight is not finite");
    return pretraining_diverged(p->experiment, p->optimizer.step, error);
}

mneme_status pretraining_step(struct pretraining *p, struct trail_line *line, mneme_error *error) {
    const struct recipe_pretrain *r = p->recipe;
    struct schedule schedule = {.kind = r->schedule,
                                .rule = r->schedule_rule,
                                .warmup = r->warmup,
                                .steps = r->steps,
                                .lr_min_ratio = r->lr_min_ratio,
                                .cosine_theta = r->cosine_theta,
                                .cycle_length = r->cycle_length,
                                .exp_factor = r->exp_factor};
    float factor = schedule_factor(&schedule, p->optimizer.step);
    text_order_fill(&p->order, &p->builder, p->builder.max_tokens);
    size_t n = cut(p);
    struct step_result result;
    if (step_run(&p->pass, &p->optimizer, p->micro_batches, n, p->extent, factor * r->lr,
                 factor * r->values_lr, pretraining_usage(p), &result, error) != MNEME_OK) {
        return pretraining_diverged(p->experiment, p->optimizer.step + 1, error);
    }
    *line = (struct trail_line){.step = p->optimizer.step,
                                .tokens = p->builder.n_tokens,
                                .lr = factor * r->lr,
                                .loss = result.loss,
                                .has_norm = true,
                                .gradient_norm = result.gradient_norm,
                                .has_slots = pretraining_usage(p) != NULL,
                                .has_digest = is_due(p)};
    if (line->has_slots) line->slots = slot_usage_end_step(&p->usage);
    return line->has_digest ? take_digest(p, &line->digest, error) : MNEME_OK;
}

/* The new checkpoint is whole before an older one goes. */
static PATH_OUT_OF_LINE mneme_status save_checkpoint(struct pretraining *p, const char *folder,
                                                     const struct trail *trail,
                                                     mneme_error *error) {
    size_t step = p->optimizer.step;
    struct checkpoint_trail written = {.known = true};
    TRY(trail_digest(trail, &written.bytes, &written.digest, error));
    TRY(checkpoint_save(checkpoint_files_path(folder, step).text, &p->optimizer, p->order.cursor,
                        pretraining_usage(p), &written, error));
    if (p->recipe->keep_checkpoints) return MNEME_OK;
    return checkpoint_files_remove_before(folder, step, error);
}

static void tell(const struct pretraining *p, const struct trail_line *line, size_t tokens) {
    const mneme_progress progress = {.stage = FOLDER_PRETRAIN,
                                     .unit = "steps",
                                     .done = line->step,
                                     .total = p->recipe->steps,
                                     .tokens = tokens,
                                     .has_loss = true,
                                     .loss = line->loss,
                                     .has_slots = line->has_slots,
                                     .slots = line->slots.slots,
                                     .slot_perplexity = line->slots.perplexity,
                                     .never_read = line->slots.never_read};
    experiment_tell(p->experiment, &progress);
}

/* Says once that two steps in a row read next to nothing of the memory. */
static void warn_of_collapse(struct pretraining *p, const struct trail_line *line) {
    const struct memory_config *memory = &p->experiment->recipe.model.memory;
    const size_t n_reads = line->tokens * memory->n_layers * memory->heads * memory->knn;
    if (!line->has_slots) return;
    p->n_collapsed =
        slot_usage_collapsed(line->slots, p->usage.n_slots, n_reads) ? p->n_collapsed + 1 : 0;
    if (p->n_collapsed != 2 || p->has_warned) return;
    p->has_warned = true;
    experiment_warn(p->experiment,
                    "pretraining, step %zu: the memory's routing has collapsed: %zu reads went to "
                    "%zu of %zu slots, as many as %.1f evenly read ones; try `model.memory.init` "
                    "`data`, or lower rates",
                    line->step, n_reads, line->slots.slots, p->usage.n_slots,
                    (double)line->slots.perplexity);
}

static mneme_status train(struct pretraining *p, const char *folder, struct trail *trail,
                          mneme_error *error) {
    size_t tokens = 0, steps = p->recipe->steps;
    while (p->optimizer.step < steps) {
        struct trail_line line = {0};
        TRY(pretraining_step(p, &line, error));
        TRY(trail_add(trail, &line, error));
        tokens += line.tokens;
        tell(p, &line, tokens);
        warn_of_collapse(p, &line);
        if (!is_due(p)) continue;
        TRY(trail_flush(trail, error));
        if (line.step < steps) TRY(save_checkpoint(p, folder, trail, error));
    }
    return MNEME_OK;
}

static PATH_OUT_OF_LINE mneme_status open_trail(const struct pretraining *p, struct trail *trail,
                                                mneme_error *error) {
    return trail_open(trail, trail_path(p).text, stage_pretraining().name, p->optimizer.step,
                      error);
}

/* From the last checkpoint, or from the beginning, to the end. */
static mneme_status pretrain(struct pretraining *p, const char *folder, mneme_error *error) {
    struct trail trail = {0};
    TRY(directory_make(folder, error));
    TRY(pretraining_begin(p, SIZE_MAX, DAMAGED_PASSED_OVER, error));
    mneme_status status = open_trail(p, &trail, error);
    THEN(train(p, folder, &trail, error));
    trail_close(&trail);
    return status;
}

/* The base is signed before the last checkpoint goes. */
static PATH_OUT_OF_LINE mneme_status finish(struct experiment *e, mneme_error *error) {
    struct path trail = path_in(e->pretrain_folder, FOLDER_TRAIL);
    const char *const made[] = {e->base_folder, trail.text};
    const char *const kept[] = {e->pretrain_folder};
    TRY(model_folder_save(e, e->base_folder, error));
    TRY(manifest_sign(e->directory, made, 2, error));
    if (e->recipe.pretrain.keep_checkpoints) return manifest_sign(e->directory, kept, 1, error);
    return checkpoint_files_remove_before(e->pretrain_folder, SIZE_MAX, error);
}

static mneme_status make_base(struct experiment *e, mneme_error *error) {
    struct pretraining p = {0};
    const char *const made[] = {e->base_folder, e->pretrain_folder};
    TRY(manifest_forget(e->directory, made, 2, error));
    mneme_status status = pretraining_open(&p, e, error);
    THEN(pretrain(&p, e->pretrain_folder, error));
    THEN(finish(e, error));
    pretraining_close(&p);
    return status;
}

/* The base that is there is the one that the trail ends with. */
static PATH_OUT_OF_LINE mneme_status take_base(struct experiment *e, mneme_error *error) {
    struct path trail = path_in(e->pretrain_folder, FOLDER_TRAIL);
    struct trail_line line;
    struct digest found;
    TRY(model_folder_load(e, e->base_folder, error));
    if (!file_exists(trail.text)) return MNEME_OK;
    TRY(manifest_check(e->directory, e->pretrain_folder, error));
    if (e->recipe.pretrain.steps == 0) return MNEME_OK;
    TRY(trail_read_step(trail.text, e->recipe.pretrain.steps, &line, error));
    TRY(parameter_digest_model(&e->model, &found, error));
    if (!line.has_digest || strcmp(found.hex, line.digest.hex) == 0) return MNEME_OK;
    return error_set(error, MNEME_BAD_INPUT,
                     "%s/" FOLDER_MODEL ": holds other weights than those that %s ends with",
                     e->base_folder, trail.text);
}

mneme_status pretraining_run(struct experiment *e, mneme_error *error) {
    return model_folder_exists(e, e->base_folder) ? take_base(e, error) : make_base(e, error);
}
