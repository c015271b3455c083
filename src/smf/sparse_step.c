#include "smf/sparse_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/record_pass.h"
#include "nn/cross_entropy.h"
#include "profile/profile.h"
#include "simd/simd.h"

mneme_status sparse_stepper_open(struct sparse_stepper *stepper, const struct model *model,
                                 const struct background *background, size_t n_trainable, float lr,
                                 size_t max_tokens, mneme_error *error) {
    const struct memory_config *memory = &model->config.memory;
    size_t reads = max_tokens * memory->heads * memory->knn * memory->n_layers, gradients;
    *stepper =
        (struct sparse_stepper){.background = background, .n_trainable = n_trainable, .lr = lr};
    bool fits = size_multiply(n_trainable, memory->v_dim, &gradients) &&
                arena_reserve(&stepper->arena, reads, sizeof *stepper->ranked) &&
                arena_reserve(&stepper->arena, reads, sizeof *stepper->counts) &&
                arena_reserve(&stepper->arena, n_trainable, sizeof *stepper->chosen) &&
                arena_reserve(&stepper->arena, gradients, sizeof *stepper->gradients);
    if (!fits) return error_set_memory(error, "sparse finetuning");
    mneme_status status = arena_open(&stepper->arena, "sparse finetuning", error);
    if (status != MNEME_OK) return status;
    stepper->ranked = arena_take(&stepper->arena, reads, sizeof *stepper->ranked);
    stepper->counts = arena_take(&stepper->arena, reads, sizeof *stepper->counts);
    stepper->chosen = arena_take(&stepper->arena, n_trainable, sizeof *stepper->chosen);
    stepper->gradients = arena_take(&stepper->arena, gradients, sizeof *stepper->gradients);
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

/* The chosen slots [n] and their rows of values [n, v_dim], as they are now. */
static void record_rows(const struct sparse_stepper *stepper, const struct model *model,
                        const struct workspace *workspace, size_t n, const char *when) {
    struct recorder *recorder = workspace->recorder;
    if (recorder == NULL) return;
    size_t v_dim = model->config.memory.v_dim;
    int32_t *slots = malloc((n + 1) * sizeof *slots);
    float *rows = malloc((n * v_dim + 1) * sizeof *rows);
    recorder->failed |= slots == NULL || rows == NULL;
    for (size_t i = 0; !recorder->failed && i < n; i++) {
        slots[i] = workspace->scatter.group_rows[stepper->chosen[i]];
        memcpy(rows + i * v_dim, model->values + (size_t)slots[i] * v_dim, v_dim * sizeof *rows);
    }
    recorder_add(recorder, TENSOR_I32, n, 1, slots, "%s.chosen_slots", when);
    recorder_add(recorder, TENSOR_F32, n, v_dim, rows, "%s.chosen_values", when);
    free(rows);
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

/* A number per slot that tells its row of values, which would be too many to copy. */
static void record_row_hashes(const struct model *model, struct recorder *recorder) {
    if (recorder == NULL) return;
    size_t n = model->n_tables * model_n_slots(&model->config), v_dim = model->config.memory.v_dim;
    uint64_t *hashes = malloc(n * sizeof *hashes);
    recorder->failed |= hashes == NULL;
    for (size_t i = 0; !recorder->failed && i < n; i++) {
        hashes[i] = hash_row(v_dim, model->values + i * v_dim);
    }
    recorder_add(recorder, TENSOR_U64, n, 1, hashes, "weight.value_row_hashes");
    free(hashes);
}

static void update_values(const struct sparse_stepper *stepper, const struct model *model,
                          const struct row_scatter *reads, size_t n_chosen) {
    const struct simd_kernels *kernels = simd();
    size_t v_dim = model->config.memory.v_dim;
    PROFILE(sgd_update, n_chosen * v_dim);
    for (size_t i = 0; i < n_chosen; i++) {
        size_t slot = (size_t)reads->group_rows[stepper->chosen[i]];
        kernels->sgd_update(v_dim, stepper->lr, stepper->gradients + i * v_dim,
                            model->values + slot * v_dim);
    }
}

mneme_status sparse_step_run(struct sparse_stepper *stepper, const struct model *model,
                             struct workspace *workspace, const struct batch *batch,
                             struct sparse_step_result *result, mneme_error *error) {
    const struct row_scatter *reads = &workspace->scatter;
    size_t v_dim = model->config.memory.v_dim;
    mneme_status status = model_forward(model, workspace, batch, NULL, error);
    if (status != MNEME_OK) return status;
    record_forward(model, workspace, batch);
    result->loss = loss_and_gradients(model, workspace, batch);
    record_loss(model, workspace, batch);
    workspace_sort_reads(workspace, model, batch->n_tokens);
    result->n_read = reads->n_groups;
    result->n_chosen = choose(stepper, reads);
    model_backward(model, workspace, batch, model->config.memory.layers[0], true);
    profile_layer(PROFILE_VALUES, 0);
    row_scatter_compact(reads, result->n_chosen, stepper->chosen, v_dim, workspace->d_reads, v_dim,
                        stepper->gradients);
    record_rows(stepper, model, workspace, result->n_chosen, "before");
    recorder_add(workspace->recorder, TENSOR_F32, result->n_chosen, v_dim, stepper->gradients,
                 "gradient.chosen_values");
    if (!isfinite(result->loss) ||
        !simd()->all_finite(result->n_chosen * v_dim, stepper->gradients)) {
        return error_set(error, MNEME_FAILED, "sparse step: loss %g or a gradient is not finite",
                         (double)result->loss);
    }
    update_values(stepper, model, reads, result->n_chosen);
    record_rows(stepper, model, workspace, result->n_chosen, "weight");
    record_row_hashes(model, workspace->recorder);
    return MNEME_OK;
}
