#include "smf/sparse_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/memory_layer.h"
#include "model/record_pass.h"
#include "nn/cross_entropy.h"
#include "profile/profile.h"
#include "simd/simd.h"

mneme_status sparse_stepper_open(struct sparse_stepper *stepper, const struct model *model,
                                 const struct background *background, size_t n_trainable, float lr,
                                 size_t max_tokens, mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    size_t reads = max_tokens * memory->heads * memory->knn * memory->n_layers;
    size_t gradients = 0, gradients_u = 0;
    *stepper =
        (struct sparse_stepper){.background = background, .n_trainable = n_trainable, .lr = lr};
    bool fits = size_multiply(n_trainable, memory->v_dim, &gradients);
    if (memory->peer_variant) gradients_u = gradients;
    fits = fits && arena_reserve(&stepper->arena, reads, sizeof *stepper->ranked) &&
           arena_reserve(&stepper->arena, reads, sizeof *stepper->counts) &&
           arena_reserve(&stepper->arena, n_trainable, sizeof *stepper->chosen) &&
           arena_reserve(&stepper->arena, gradients, sizeof *stepper->gradients) &&
           arena_reserve(&stepper->arena, gradients_u, sizeof *stepper->gradients_u);
    if (!fits) return error_set_memory(error, "sparse finetuning");
    mneme_status status = arena_open(&stepper->arena, "sparse finetuning", error);
    if (status != MNEME_OK) return status;
    stepper->ranked = arena_take(&stepper->arena, reads, sizeof *stepper->ranked);
    stepper->counts = arena_take(&stepper->arena, reads, sizeof *stepper->counts);
    stepper->chosen = arena_take(&stepper->arena, n_trainable, sizeof *stepper->chosen);
    stepper->gradients = arena_take(&stepper->arena, gradients, sizeof *stepper->gradients);
    stepper->gradients_u = arena_take(&stepper->arena, gradients_u, sizeof *stepper->gradients_u);
    return MNEME_OK;
}

void sparse_stepper_close(struct sparse_stepper *stepper) {
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
    size_t n = reads->n_groups < stepper->n_trainable ? reads->n_groups : stepper->n_trainable;
    slot_ranking_tf_idf(stepper->background, reads->n_groups, reads->group_rows, stepper->counts, n,
                        stepper->ranked);
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

/* The chosen rows' gradients, from the backward pass. */
static void find_gradients(struct sparse_stepper *stepper, const struct model *model,
                           struct workspace *workspace, const struct batch *batch,
                           size_t n_chosen) {
    size_t v_dim = model->config.memory.v_dim;
    model_backward(model, workspace, batch, model->config.memory.layers[0], true);
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
    return simd()->all_finite(n, stepper->gradients) &&
           (!memory->peer_variant || simd()->all_finite(n, stepper->gradients_u));
}

static void update_rows(const struct sparse_stepper *stepper, const struct row_scatter *reads,
                        size_t n_chosen, size_t v_dim, const float *gradients, float *table) {
    const struct simd_kernels *kernels = simd();
    PROFILE(sgd_update, n_chosen * v_dim);
    for (size_t i = 0; i < n_chosen; i++) {
        size_t slot = (size_t)reads->group_rows[stepper->chosen[i]];
        kernels->sgd_update(v_dim, stepper->lr, gradients + i * v_dim, table + slot * v_dim);
    }
}

mneme_status sparse_step_run(struct sparse_stepper *stepper, const struct model *model,
                             struct workspace *workspace, const struct batch *batch,
                             struct sparse_step_result *result, mneme_error *error) {
    const struct row_scatter *reads = &workspace->scatter;
    const struct memory_config *memory = &model->config.memory;
    size_t v_dim = memory->v_dim;
    mneme_status status = model_forward(model, workspace, batch, NULL, error);
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
    if (!isfinite(result->loss) || !gradients_are_finite(stepper, memory, result->n_chosen)) {
        return error_set(error, MNEME_FAILED, "sparse step: loss %g or a gradient is not finite",
                         (double)result->loss);
    }
    update_rows(stepper, reads, result->n_chosen, v_dim, stepper->gradients, model->values);
    if (memory->peer_variant) {
        update_rows(stepper, reads, result->n_chosen, v_dim, stepper->gradients_u, model->values_u);
    }
    record_rows(stepper, model, workspace, result->n_chosen, "weight");
    record_row_hashes(model, workspace->recorder, model->values, "value_row_hashes");
    if (memory->peer_variant) {
        record_row_hashes(model, workspace->recorder, model->values_u, "value_u_row_hashes");
    }
    return MNEME_OK;
}
