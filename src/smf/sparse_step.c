#include "smf/sparse_step.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/record_pass.h"
#include "profile/profile.h"
#include "simd/simd.h"
#include "smf/value_rows.h"

const char *const sparse_optimizer_names[SPARSE_OPTIMIZER_COUNT] = {"sgd", "polyak", "adamw",
                                                                    "adamw-dense"};
const char *const trainable_per_names[TRAINABLE_PER_COUNT] = {"model", "table"};

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static struct parameter *keys_of(const struct sparse_stepper *stepper, size_t m) {
    return stepper->model->layers[stepper->model->config.memory.layers[m]].keys;
}

static mneme_status open_keys(struct sparse_stepper *stepper, mneme_error *error) {
    struct parameter *keys[MODEL_MAX_MEMORY_LAYERS];
    if (!(stepper->settings.keys_lr > 0.0f)) return MNEME_OK;
    stepper->n_keys = stepper->model->config.memory.n_layers;
    for (size_t m = 0; m < stepper->n_keys; m++) keys[m] = keys_of(stepper, m);
    return gradients_open(&stepper->keys, stepper->n_keys, keys, error);
}

static mneme_status open_moments(struct sparse_stepper *stepper, mneme_error *error) {
    const struct model *model = stepper->model;
    if (stepper->settings.optimizer < SPARSE_ADAMW) return MNEME_OK;
    size_t n_rows = model->n_tables * model_n_slots(&model->config);
    size_t v_dim = model->config.memory.v_dim;
    TRY(sparse_adamw_open(&stepper->moments, n_rows, v_dim, error));
    if (!model->config.memory.peer_variant) return MNEME_OK;
    return sparse_adamw_open(&stepper->moments_u, n_rows, v_dim, error);
}

static void open_rankings(struct sparse_stepper *stepper, const struct background *background) {
    const struct model *model = stepper->model;
    const struct sparse_settings *s = &stepper->settings;
    const bool per_table = s->trainable_per == TRAINABLE_PER_TABLE;
    const size_t n_slots = model_n_slots(&model->config);
    stepper->n_rankings = per_table ? model->n_tables : 1;
    stepper->ranking_slots = per_table ? n_slots : model->n_tables * n_slots;
    for (size_t i = 0; i < stepper->n_rankings; i++) {
        const struct slot_range range = {i * stepper->ranking_slots, stepper->ranking_slots};
        stepper->rankings[i] = slot_ranking_make(s->selection, background, range, s->seed);
        if (s->idf_power > 0) stepper->rankings[i].idf_power = s->idf_power;
    }
}

static mneme_status open_arena(struct sparse_stepper *stepper, size_t max_tokens,
                               mneme_error *error) {
    const struct model *model = stepper->model;
    const struct memory_config *memory = &model->config.memory;
    size_t reads = max_tokens * memory->heads * memory->knn * memory->n_layers;
    size_t most = least(reads, stepper->ranking_slots);
    size_t t = stepper->settings.selection == SLOTS_ALL
                   ? most
                   : least(stepper->settings.n_trainable, most);
    size_t row = memory->v_dim * sizeof(float);
    stepper->room_per_ranking = stepper->most_per_ranking = t;
    t = stepper->n_trainable = least(reads, stepper->n_rankings * t);
    const struct arena_piece pieces[] = {{&stepper->ranked, reads, sizeof *stepper->ranked},
                                         {&stepper->chosen, t, sizeof *stepper->chosen},
                                         {&stepper->slots, t, sizeof *stepper->slots},
                                         {&stepper->values, t, row},
                                         {&stepper->values_u, memory->peer_variant ? t : 0, row}};
    return arena_layout(&stepper->arena, sizeof pieces / sizeof *pieces, pieces,
                        "sparse finetuning", error);
}

mneme_status sparse_stepper_open(struct sparse_stepper *stepper, struct model *model,
                                 const struct background *background,
                                 const struct sparse_settings *settings, size_t max_tokens,
                                 mneme_error *error) {
    *stepper = (struct sparse_stepper){.settings = *settings, .model = model};
    open_rankings(stepper, background);
    mneme_status status = open_arena(stepper, max_tokens, error);
    THEN(batch_reads_open(&stepper->reads, model, max_tokens, error));
    THEN(open_keys(stepper, error));
    THEN(open_moments(stepper, error));
    if (status != MNEME_OK) sparse_stepper_close(stepper);
    return status;
}

void sparse_stepper_close(struct sparse_stepper *stepper) {
    gradients_close(&stepper->keys);
    row_scatter_close(&stepper->reads);
    sparse_adamw_close(&stepper->moments);
    sparse_adamw_close(&stepper->moments_u);
    arena_close(&stepper->arena);
    *stepper = (struct sparse_stepper){0};
}

void sparse_stepper_limit(struct sparse_stepper *stepper, size_t t) {
    stepper->most_per_ranking = least(t, stepper->room_per_ranking);
}

size_t sparse_stepper_count(const struct sparse_stepper *stepper) {
    const struct memory_config *memory = &stepper->model->config.memory;
    size_t rows = stepper->settings.optimizer == SPARSE_ADAMW_DENSE
                      ? stepper->n_rankings * stepper->ranking_slots
                      : stepper->n_trainable;
    size_t count = rows * memory->v_dim * (memory->peer_variant ? 2 : 1);
    for (size_t m = 0; m < stepper->n_keys; m++) count += keys_of(stepper, m)->count;
    return count;
}

/* Mean loss of the batch, with its gradient left in the pass. */
static float loss_and_gradients(struct sparse_stepper *stepper, struct pass *pass,
                                const struct batch *batch) {
    size_t targets = batch_count_targets(batch);
    float scale = 1.0f / (float)(targets > 0 ? targets : 1);
    model_loss(pass, batch, scale, &stepper->keys);
    return pass_add_losses(pass, 0.0f) * scale;
}

/* Of the slots read, which ascend, the ones from `first` on that ranking r is about. */
static struct slots_read part_of(const struct sparse_stepper *stepper, struct slots_read read,
                                 size_t r, size_t first) {
    const size_t end = (r + 1) * stepper->ranking_slots;
    size_t n = 0;
    while (first + n < read.n && (size_t)read.slots[first + n] < end) n++;
    return (struct slots_read){n, read.slots + first, read.starts + first};
}

/* Ranks the slots that the batch read, and chooses. */
static void choose(struct sparse_stepper *stepper, struct slots_read read) {
    size_t first = 0;
    stepper->n_chosen = 0;
    for (size_t r = 0; r < stepper->n_rankings; r++) {
        const struct slots_read part = part_of(stepper, read, r, first);
        struct ranked_slot *ranked = stepper->ranked + first;
        size_t n = least(part.n, stepper->most_per_ranking);
        slot_ranking_run(&stepper->rankings[r], stepper->step, part, n, ranked);
        for (size_t i = 0; i < part.n; i++) ranked[i].group += first;
        for (size_t i = 0; i < n; i++) {
            stepper->chosen[stepper->n_chosen] = ranked[i].group;
            stepper->slots[stepper->n_chosen++] = read.slots[ranked[i].group];
        }
        first += part.n;
    }
}

/* A copy of the chosen slots' rows of the tables of a kind, [n, v_dim]. */
static void record_table_rows(const struct sparse_stepper *stepper, struct recorder *recorder,
                              size_t n, enum parameter_kind kind, const char *when,
                              const char *name) {
    size_t v_dim = stepper->model->config.memory.v_dim;
    float *rows = malloc((n * v_dim + 1) * sizeof *rows);
    recorder->failed |= rows == NULL;
    for (size_t i = 0; !recorder->failed && i < n; i++) {
        value_row_get(stepper->model, kind, stepper->slots[i], rows + i * v_dim);
    }
    recorder_add(recorder, TENSOR_F32, n, v_dim, rows, "%s.%s", when, name);
    free(rows);
}

/* The chosen slots [n] and their rows of values, as they are now. */
static void record_rows(const struct sparse_stepper *stepper, struct recorder *recorder, size_t n,
                        const char *when) {
    const struct model *model = stepper->model;
    if (recorder == NULL) return;
    recorder_add(recorder, TENSOR_I32, n, 1, stepper->slots, "%s.chosen_slots", when);
    record_table_rows(stepper, recorder, n, PARAMETER_VALUES, when, "chosen_values");
    if (!model->config.memory.peer_variant) return;
    record_table_rows(stepper, recorder, n, PARAMETER_VALUES_U, when, "chosen_values_u");
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

/* A number per slot that tells its row of the tables of a kind, which would be too many to copy. */
static void record_row_hashes(const struct model *model, struct recorder *recorder,
                              enum parameter_kind kind, const char *name) {
    size_t n = model->n_tables * model_n_slots(&model->config), v_dim = model->config.memory.v_dim;
    uint64_t *hashes = malloc(n * sizeof *hashes);
    float *row = malloc(v_dim * sizeof *row);
    recorder->failed |= hashes == NULL || row == NULL;
    for (size_t i = 0; !recorder->failed && i < n; i++) {
        value_row_get(model, kind, (int32_t)i, row);
        hashes[i] = hash_row(v_dim, row);
    }
    recorder_add(recorder, TENSOR_U64, n, 1, hashes, "weight.%s", name);
    free(row);
    free(hashes);
}

static void record_update(const struct sparse_stepper *stepper, struct recorder *recorder,
                          size_t n_chosen) {
    const struct model *model = stepper->model;
    if (recorder == NULL) return;
    record_rows(stepper, recorder, n_chosen, "weight");
    record_row_hashes(model, recorder, PARAMETER_VALUES, "value_row_hashes");
    if (!model->config.memory.peer_variant) return;
    record_row_hashes(model, recorder, PARAMETER_VALUES_U, "value_u_row_hashes");
}

static void zero_key_gradients(struct sparse_stepper *stepper) {
    for (size_t m = 0; m < stepper->n_keys; m++) {
        const struct parameter *keys = keys_of(stepper, m);
        memset(gradient_of(&stepper->keys, keys), 0, keys->count * sizeof(float));
    }
}

/* The chosen rows' gradients, from the backward pass. */
static void find_gradients(struct sparse_stepper *stepper, struct pass *pass,
                           const struct batch *batch, size_t n_chosen) {
    const struct memory_config *memory = &stepper->model->config.memory;
    const struct activations *a = &pass->activations;
    size_t v_dim = memory->v_dim;
    zero_key_gradients(stepper);
    const struct backward_extent extent = {
        memory->layers[0], stepper->n_keys == 0 ? BACKWARD_TO_VALUES : BACKWARD_TO_MEMORY};
    model_backward(pass, batch, &stepper->keys, extent);
    model_finish_gradients(pass, &stepper->keys);
    profile_layer(PROFILE_VALUES, 0);
    row_scatter_compact(&stepper->reads, n_chosen, stepper->chosen, v_dim, a->d_reads, v_dim,
                        stepper->values);
    if (!memory->peer_variant) return;
    batch_reads_weigh_inputs(&stepper->reads, pass);
    row_scatter_compact(&stepper->reads, n_chosen, stepper->chosen, v_dim, a->expert_inputs, v_dim,
                        stepper->values_u);
}

static bool gradients_are_finite(const struct sparse_stepper *stepper, size_t n_chosen) {
    const struct memory_config *memory = &stepper->model->config.memory;
    const struct simd_kernels *kernels = simd();
    size_t n = n_chosen * memory->v_dim;
    for (size_t m = 0; m < stepper->n_keys; m++) {
        const struct parameter *keys = keys_of(stepper, m);
        if (!kernels->all_finite(keys->count, gradient_of(&stepper->keys, keys))) return false;
    }
    return kernels->all_finite(n, stepper->values) &&
           (!memory->peer_variant || kernels->all_finite(n, stepper->values_u));
}

/* Adds the rows' sums of squares to a chain. */
static float add_squares(size_t n_rows, size_t width, const float *rows, float sum) {
    for (size_t i = 0; i < n_rows; i++) {
        sum += simd()->reduce_sum_squares(width, rows + i * width);
    }
    return sum;
}

/* The learning rate of SGD in this step. Where the gradient vanishes no step is the best. */
static float step_rate(const struct sparse_stepper *stepper, size_t n_chosen, float loss) {
    const struct memory_config *memory = &stepper->model->config.memory;
    const float lr = stepper->settings.lr;
    if (stepper->settings.optimizer != SPARSE_SGD_POLYAK) return lr;
    float squares = add_squares(n_chosen, memory->v_dim, stepper->values, 0.0f);
    if (memory->peer_variant) {
        squares = add_squares(n_chosen, memory->v_dim, stepper->values_u, squares);
    }
    const float rate = lr * loss / squares;
    return isfinite(rate) ? rate : 0.0f;
}

/* A model's tables of a kind, whose chosen rows are f32. */
struct value_tables {
    struct sparse_table table; /* first */
    struct model *model;
    enum parameter_kind kind;
};

static float *row_of(const struct sparse_table *table, int32_t row) {
    const struct value_tables *tables = (const struct value_tables *)table;
    return value_row(tables->model, tables->kind, row);
}

/* The chosen rows of the tables of a kind. */
static void update_rows(const struct sparse_stepper *stepper, struct sparse_adamw *moments,
                        size_t n_chosen, float lr, const float *gradients,
                        enum parameter_kind kind) {
    const struct value_tables tables = {{row_of}, stepper->model, kind};
    const struct sparse_settings *settings = &stepper->settings;
    const struct simd_kernels *kernels = simd();
    size_t v_dim = stepper->model->config.memory.v_dim;
    PROFILE(sgd_update, n_chosen * v_dim);
    if (settings->optimizer == SPARSE_ADAMW) {
        sparse_adamw_update(moments, &settings->adamw, settings->lr, n_chosen, stepper->slots,
                            gradients, &tables.table);
        return;
    }
    if (settings->optimizer == SPARSE_ADAMW_DENSE) {
        sparse_adamw_update_dense(moments, &settings->adamw, settings->lr, stepper->step + 1,
                                  n_chosen, stepper->slots, gradients, &tables.table);
        return;
    }
    for (size_t i = 0; i < n_chosen; i++) {
        kernels->sgd_update(v_dim, lr, gradients + i * v_dim,
                            row_of(&tables.table, stepper->slots[i]));
    }
}

static mneme_status update(struct sparse_stepper *stepper, size_t n_chosen, float loss,
                           mneme_error *error) {
    struct model *model = stepper->model;
    const float lr = step_rate(stepper, n_chosen, loss);
    TRY(value_rows_make_f32(model, n_chosen, stepper->slots, error));
    update_rows(stepper, &stepper->moments, n_chosen, lr, stepper->values, PARAMETER_VALUES);
    if (model->config.memory.peer_variant) {
        update_rows(stepper, &stepper->moments_u, n_chosen, lr, stepper->values_u,
                    PARAMETER_VALUES_U);
    }
    for (size_t m = 0; m < stepper->n_keys; m++) {
        struct parameter *keys = keys_of(stepper, m);
        simd()->sgd_update(keys->count, stepper->settings.keys_lr,
                           gradient_of(&stepper->keys, keys), keys->data);
    }
    stepper->step++;
    return MNEME_OK;
}

mneme_status sparse_step_run(struct sparse_stepper *stepper, struct pass *pass,
                             const struct batch *batch, bool from_memory,
                             struct sparse_step_result *result, mneme_error *error) {
    assert(pass->model == stepper->model);
    record_parameters(pass);
    result->diverged = true; /* a forward pass fails for nothing else */
    TRY(from_memory ? model_forward_from_memory(pass, batch, error)
                    : model_forward(pass, batch, NULL, error));
    record_forward(pass, batch);
    result->loss = loss_and_gradients(stepper, pass, batch);
    batch_reads_sort(&stepper->reads, pass);
    const struct slots_read read = batch_reads_slots(&stepper->reads);
    result->n_read = read.n;
    choose(stepper, read);
    result->n_chosen = stepper->n_chosen;
    find_gradients(stepper, pass, batch, result->n_chosen);
    record_rows(stepper, pass->recorder, result->n_chosen, "before");
    recorder_add(pass->recorder, TENSOR_F32, result->n_chosen, stepper->model->config.memory.v_dim,
                 stepper->values, "gradient.chosen_values");
    result->diverged = !isfinite(result->loss) || !gradients_are_finite(stepper, result->n_chosen);
    if (result->diverged) {
        return error_set(error, MNEME_FAILED, "%s is not finite",
                         isfinite(result->loss) ? "a chosen slot's gradient" : "the loss");
    }
    TRY(update(stepper, result->n_chosen, result->loss, error));
    record_update(stepper, pass->recorder, result->n_chosen);
    return MNEME_OK;
}
