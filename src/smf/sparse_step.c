#include "smf/sparse_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/memory_layer.h"
#include "model/record_pass.h"
#include "nn/cross_entropy.h"
#include "profile/profile.h"
#include "simd/simd.h"

const char *const sparse_optimizer_names[SPARSE_OPTIMIZER_COUNT] = {"sgd", "adamw"};

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* The keys' gradients have their place in the arena while the stepper is open. */
static void attach_key_gradients(struct sparse_stepper *stepper, const struct model *model) {
    stepper->model = model;
    for (size_t m = 0; m < model->config.memory.n_layers; m++) {
        struct parameter *keys = model->layers[model->config.memory.layers[m]].keys;
        keys->gradient = arena_take(&stepper->arena, keys->count, sizeof(float));
    }
}

static mneme_status open_moments(struct sparse_stepper *stepper, const struct model *model,
                                 mneme_error *error) {
    size_t n_rows = model->n_tables * model_n_slots(&model->config);
    size_t v_dim = model->config.memory.v_dim;
    mneme_status status = sparse_adamw_open(&stepper->moments, n_rows, v_dim, error);
    if (status != MNEME_OK || !model->config.memory.peer_variant) return status;
    return sparse_adamw_open(&stepper->moments_u, n_rows, v_dim, error);
}

static mneme_status open_arena(struct sparse_stepper *stepper, const struct model *model,
                               size_t max_tokens, mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    size_t reads = max_tokens * memory->heads * memory->knn * memory->n_layers;
    size_t gradients = 0, gradients_u = 0;
    const bool with_keys = stepper->settings.keys_lr > 0.0f;
    size_t most = least(reads, model->n_tables * model_n_slots(&model->config));
    size_t n_trainable = stepper->settings.selection == SLOTS_ALL
                             ? most
                             : least(stepper->settings.n_trainable, most);
    stepper->n_trainable = n_trainable;
    bool fits = size_multiply(n_trainable, memory->v_dim, &gradients);
    if (memory->peer_variant) gradients_u = gradients;
    fits = fits && arena_reserve(&stepper->arena, reads, sizeof *stepper->ranked) &&
           arena_reserve(&stepper->arena, reads, sizeof *stepper->counts) &&
           arena_reserve(&stepper->arena, n_trainable, sizeof *stepper->chosen) &&
           arena_reserve(&stepper->arena, gradients, sizeof *stepper->gradients) &&
           arena_reserve(&stepper->arena, gradients_u, sizeof *stepper->gradients_u);
    for (size_t m = 0; with_keys && m < memory->n_layers; m++) {
        size_t count = model->layers[memory->layers[m]].keys->count;
        fits = fits && arena_reserve(&stepper->arena, count, sizeof(float));
    }
    if (!fits) return error_set_memory(error, "sparse finetuning");
    mneme_status status = arena_open(&stepper->arena, "sparse finetuning", error);
    if (status != MNEME_OK) return status;
    stepper->ranked = arena_take(&stepper->arena, reads, sizeof *stepper->ranked);
    stepper->counts = arena_take(&stepper->arena, reads, sizeof *stepper->counts);
    stepper->chosen = arena_take(&stepper->arena, n_trainable, sizeof *stepper->chosen);
    stepper->gradients = arena_take(&stepper->arena, gradients, sizeof *stepper->gradients);
    stepper->gradients_u = arena_take(&stepper->arena, gradients_u, sizeof *stepper->gradients_u);
    if (with_keys) attach_key_gradients(stepper, model);
    return MNEME_OK;
}

mneme_status sparse_stepper_open(struct sparse_stepper *stepper, const struct model *model,
                                 const struct background *background,
                                 const struct sparse_settings *settings, size_t max_tokens,
                                 mneme_error *error) {
    *stepper = (struct sparse_stepper){
        .settings = *settings,
        .ranking = slot_ranking_make(settings->selection, background, settings->seed)};
    mneme_status status = open_arena(stepper, model, max_tokens, error);
    if (status == MNEME_OK && settings->optimizer == SPARSE_ADAMW) {
        status = open_moments(stepper, model, error);
    }
    if (status != MNEME_OK) sparse_stepper_close(stepper);
    return status;
}

void sparse_stepper_close(struct sparse_stepper *stepper) {
    for (size_t m = 0; stepper->model != NULL && m < stepper->model->config.memory.n_layers; m++) {
        stepper->model->layers[stepper->model->config.memory.layers[m]].keys->gradient = NULL;
    }
    sparse_adamw_close(&stepper->moments);
    sparse_adamw_close(&stepper->moments_u);
    arena_close(&stepper->arena);
    *stepper = (struct sparse_stepper){0};
}

/* Mean loss of the batch, with the logits' gradients left in the workspace. */
static float loss_and_gradients(const struct model *model, struct workspace *workspace,
                                const struct batch *batch) {
    size_t targets = 0;
    for (size_t i = 0; i < batch->n_tokens; i++) {
        targets += batch->targets[i] != CROSS_ENTROPY_IGNORE;
    }
    float scale = 1.0f / (float)(targets > 0 ? targets : 1), sum = 0.0f;
    model_loss(model, workspace, batch, scale);
    for (size_t i = 0; i < batch->n_tokens; i++) sum += workspace->losses[i];
    return sum * scale;
}

/* Ranks the slots that the batch read; returns how many are chosen. */
static size_t choose(struct sparse_stepper *stepper, const struct row_scatter *reads) {
    for (size_t g = 0; g < reads->n_groups; g++) {
        stepper->counts[g] = reads->group_starts[g + 1] - reads->group_starts[g];
    }
    size_t n = least(reads->n_groups, stepper->n_trainable);
    slot_ranking_run(&stepper->ranking, stepper->step, reads->n_groups, reads->group_rows,
                     stepper->counts, n, stepper->ranked);
    for (size_t i = 0; i < n; i++) stepper->chosen[i] = stepper->ranked[i].group;
    return n;
}

/* A copy of the chosen slots' rows of a table, [n, v_dim]. */
static void record_table_rows(struct recorder *recorder, size_t n, const int32_t *slots,
                              size_t v_dim, const float *table, const char *when,
                              const char *name) {
    float *rows = malloc((n * v_dim + 1) * sizeof *rows);
    recorder->failed |= rows == NULL;
    for (size_t i = 0; !recorder->failed && i < n; i++) {
        memcpy(rows + i * v_dim, table + (size_t)slots[i] * v_dim, v_dim * sizeof *rows);
    }
    recorder_add(recorder, TENSOR_F32, n, v_dim, rows, "%s.%s", when, name);
    free(rows);
}

/* The chosen slots [n] and their rows of values, as they are now. */
static void record_rows(const struct sparse_stepper *stepper, const struct model *model,
                        const struct workspace *workspace, size_t n, const char *when) {
    struct recorder *recorder = workspace->recorder;
    if (recorder == NULL) return;
    const struct memory_config *memory = &model->config.memory;
    int32_t *slots = calloc(n + 1, sizeof *slots);
    if (slots == NULL) {
        recorder->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        slots[i] = workspace->scatter.group_rows[stepper->chosen[i]];
    }
    recorder_add(recorder, TENSOR_I32, n, 1, slots, "%s.chosen_slots", when);
    record_table_rows(recorder, n, slots, memory->v_dim, model->values, when, "chosen_values");
    if (memory->peer_variant) {
        record_table_rows(recorder, n, slots, memory->v_dim, model->values_u, when,
                          "chosen_values_u");
    }
    free(slots);
}

/* FNV-1a of a row's bits. */
static uint64_t hash_row(size_t n, const float *row) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &row[i], sizeof bits);
        hash = (hash ^ bits) * 1099511628211u;
    }
    return hash;
}

/* A number per slot that tells its row of a table, which would be too many to copy. */
static void record_row_hashes(const struct model *model, struct recorder *recorder,
                              const float *table, const char *name) {
    if (recorder == NULL) return;
    size_t n = model->n_tables * model_n_slots(&model->config), v_dim = model->config.memory.v_dim;
    uint64_t *hashes = malloc(n * sizeof *hashes);
    recorder->failed |= hashes == NULL;
    for (size_t i = 0; !recorder->failed && i < n; i++) {
        hashes[i] = hash_row(v_dim, table + i * v_dim);
    }
    recorder_add(recorder, TENSOR_U64, n, 1, hashes, "weight.%s", name);
    free(hashes);
}

static void zero_key_gradients(const struct model *model) {
    for (size_t m = 0; m < model->config.memory.n_layers; m++) {
        struct parameter *keys = model->layers[model->config.memory.layers[m]].keys;
        memset(keys->gradient, 0, keys->count * sizeof(float));
    }
}

/* The chosen rows' gradients, from the backward pass. */
static void find_gradients(struct sparse_stepper *stepper, const struct model *model,
                           struct workspace *workspace, const struct batch *batch,
                           size_t n_chosen) {
    size_t v_dim = model->config.memory.v_dim;
    const bool with_keys = stepper->model != NULL;
    if (with_keys) zero_key_gradients(model);
    model_backward(model, workspace, batch, model->config.memory.layers[0], !with_keys);
    /* The keys' gradients were summed by the same scatter. */
    if (with_keys) workspace_sort_reads(workspace, model, batch->n_tokens);
    profile_layer(PROFILE_VALUES, 0);
    row_scatter_compact(&workspace->scatter, n_chosen, stepper->chosen, v_dim, workspace->d_reads,
                        v_dim, stepper->gradients);
    if (!model->config.memory.peer_variant) return;
    /* The same groups again, with other coefficients. */
    workspace_sort_expert_inputs(workspace, model, batch->n_tokens);
    row_scatter_compact(&workspace->scatter, n_chosen, stepper->chosen, v_dim,
                        workspace->expert_inputs, v_dim, stepper->gradients_u);
}

static bool gradients_are_finite(const struct sparse_stepper *stepper,
                                 const struct memory_config *memory, size_t n_chosen) {
    size_t n = n_chosen * memory->v_dim;
    for (size_t m = 0; stepper->model != NULL && m < memory->n_layers; m++) {
        const struct parameter *keys = stepper->model->layers[memory->layers[m]].keys;
        if (!simd()->all_finite(keys->count, keys->gradient)) return false;
    }
    return simd()->all_finite(n, stepper->gradients) &&
           (!memory->peer_variant || simd()->all_finite(n, stepper->gradients_u));
}

/* adamw NULL: by SGD. */
static void update_rows(const struct sparse_stepper *stepper, struct sparse_adamw *adamw,
                        const struct row_scatter *reads, size_t n_chosen, size_t v_dim,
                        const float *gradients, float *table) {
    const struct simd_kernels *kernels = simd();
    PROFILE(sgd_update, n_chosen * v_dim);
    for (size_t i = 0; i < n_chosen; i++) {
        size_t slot = (size_t)reads->group_rows[stepper->chosen[i]];
        if (adamw != NULL) {
            sparse_adamw_update(adamw, &stepper->settings.adamw, stepper->settings.lr, slot,
                                gradients + i * v_dim, table);
        } else {
            kernels->sgd_update(v_dim, stepper->settings.lr, gradients + i * v_dim,
                                table + slot * v_dim);
        }
    }
}

static void update(struct sparse_stepper *stepper, const struct model *model,
                   const struct row_scatter *reads, size_t n_chosen) {
    const struct memory_config *memory = &model->config.memory;
    const bool adamw = stepper->settings.optimizer == SPARSE_ADAMW;
    update_rows(stepper, adamw ? &stepper->moments : NULL, reads, n_chosen, memory->v_dim,
                stepper->gradients, model->values);
    if (memory->peer_variant) {
        update_rows(stepper, adamw ? &stepper->moments_u : NULL, reads, n_chosen, memory->v_dim,
                    stepper->gradients_u, model->values_u);
    }
    for (size_t m = 0; stepper->model != NULL && m < memory->n_layers; m++) {
        struct parameter *keys = model->layers[memory->layers[m]].keys;
        simd()->sgd_update(keys->count, stepper->settings.keys_lr, keys->gradient, keys->data);
    }
    stepper->step++;
}

mneme_status sparse_step_run(struct sparse_stepper *stepper, const struct model *model,
                             struct workspace *workspace, const struct batch *batch,
                             bool from_memory, struct sparse_step_result *result,
                             mneme_error *error) {
    const struct row_scatter *reads = &workspace->scatter;
    const struct memory_config *memory = &model->config.memory;
    size_t v_dim = memory->v_dim;
    mneme_status status = from_memory ? model_forward_from_memory(model, workspace, batch, error)
                                      : model_forward(model, workspace, batch, NULL, error);
    result->diverged = status != MNEME_OK;
    if (status != MNEME_OK) return status;
    record_forward(model, workspace, batch);
    result->loss = loss_and_gradients(model, workspace, batch);
    record_loss(model, workspace, batch);
    workspace_sort_reads(workspace, model, batch->n_tokens);
    result->n_read = reads->n_groups;
    result->n_chosen = choose(stepper, reads);
    find_gradients(stepper, model, workspace, batch, result->n_chosen);
    record_rows(stepper, model, workspace, result->n_chosen, "before");
    recorder_add(workspace->recorder, TENSOR_F32, result->n_chosen, v_dim, stepper->gradients,
                 "gradient.chosen_values");
    result->diverged =
        !isfinite(result->loss) || !gradients_are_finite(stepper, memory, result->n_chosen);
    if (result->diverged) {
        return error_set(error, MNEME_FAILED, "sparse step: loss %g or a gradient is not finite",
                         (double)result->loss);
    }
    update(stepper, model, reads, result->n_chosen);
    record_rows(stepper, model, workspace, result->n_chosen, "weight");
    record_row_hashes(model, workspace->recorder, model->values, "value_row_hashes");
    if (memory->peer_variant) {
        record_row_hashes(model, workspace->recorder, model->values_u, "value_u_row_hashes");
    }
    return MNEME_OK;
}
