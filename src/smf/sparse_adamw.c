#include "smf/sparse_adamw.h"

#include <stdbool.h>
#include <stdlib.h>

#include "simd/simd.h"

mneme_status sparse_adamw_open(struct sparse_adamw *state, size_t n_rows, size_t width,
                               mneme_error *error) {
    /* calloc, since it gives pages of zeros that exist once they are written to. */
    *state = (struct sparse_adamw){.width = width,
                                   .moment1 = calloc(n_rows, width * sizeof(float)),
                                   .moment2 = calloc(n_rows, width * sizeof(float)),
                                   .n_updates = calloc(n_rows, sizeof(int32_t)),
                                   .touched = calloc(n_rows, sizeof(int32_t)),
                                   .zeros = calloc(width, sizeof(float))};
    bool is_whole = state->moment1 != NULL && state->moment2 != NULL && state->n_updates != NULL &&
                    state->touched != NULL && state->zeros != NULL;
    if (is_whole) return MNEME_OK;
    sparse_adamw_close(state);
    return error_set_memory(error, "the moments of the values");
}

void sparse_adamw_close(struct sparse_adamw *state) {
    free(state->moment1);
    free(state->moment2);
    free(state->n_updates);
    free(state->touched);
    free(state->zeros);
    *state = (struct sparse_adamw){0};
}

static void update_row(struct sparse_adamw *state, const struct adamw_step *step, int32_t row,
                       const float *gradient, const struct sparse_table *table) {
    size_t first = (size_t)row * state->width;
    simd()->adamw_update(state->width, step, gradient, state->moment1 + first,
                         state->moment2 + first, table->row(table, row));
}

void sparse_adamw_update(struct sparse_adamw *state, const struct adamw_settings *settings,
                         float lr, size_t n, const int32_t *rows, const float *gradients,
                         const struct sparse_table *table) {
    for (size_t i = 0; i < n; i++) {
        size_t n_updates = (size_t)++state->n_updates[rows[i]];
        struct adamw_step step =
            adamw_step_at(settings, lr, settings->values_weight_decay, n_updates, 1.0f);
        update_row(state, &step, rows[i], gradients + i * state->width, table);
    }
}

void sparse_adamw_update_dense(struct sparse_adamw *state, const struct adamw_settings *settings,
                               float lr, size_t n_updates, size_t n, const int32_t *rows,
                               const float *gradients, const struct sparse_table *table) {
    struct adamw_step step =
        adamw_step_at(settings, lr, settings->values_weight_decay, n_updates, 1.0f);
    for (size_t i = 0; i < n; i++) {
        if (state->n_updates[rows[i]] == 0) state->touched[state->n_touched++] = rows[i];
        state->n_updates[rows[i]] = (int32_t)n_updates;
        update_row(state, &step, rows[i], gradients + i * state->width, table);
    }
    for (size_t i = 0; i < state->n_touched; i++) {
        const int32_t row = state->touched[i];
        if (state->n_updates[row] == (int32_t)n_updates) continue;
        update_row(state, &step, row, state->zeros, table);
    }
}
