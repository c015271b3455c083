#include "smf/sparse_adamw.h"

#include <stdlib.h>

#include "simd/simd.h"

mneme_status sparse_adamw_open(struct sparse_adamw *state, size_t n_rows, size_t width,
                               mneme_error *error) {
    /* calloc, since it gives pages of zeros that exist once they are written to. */
    *state = (struct sparse_adamw){.width = width,
                                   .moment1 = calloc(n_rows, width * sizeof(float)),
                                   .moment2 = calloc(n_rows, width * sizeof(float)),
                                   .n_updates = calloc(n_rows, sizeof(int32_t))};
    if (state->moment1 != NULL && state->moment2 != NULL && state->n_updates != NULL) {
        return MNEME_OK;
    }
    sparse_adamw_close(state);
    return error_set_memory(error, "the moments of the values");
}

void sparse_adamw_close(struct sparse_adamw *state) {
    free(state->moment1);
    free(state->moment2);
    free(state->n_updates);
    *state = (struct sparse_adamw){0};
}

void sparse_adamw_update(struct sparse_adamw *state, const struct adamw_settings *settings,
                         float lr, size_t n, const int32_t *rows, const float *gradients,
                         float *table) {
    const struct simd_kernels *kernels = simd();
    for (size_t i = 0; i < n; i++) {
        size_t first = (size_t)rows[i] * state->width;
        size_t n_updates = (size_t)++state->n_updates[rows[i]];
        struct adamw_step step =
            adamw_step_at(settings, lr, settings->values_weight_decay, n_updates, 1.0f);
        kernels->adamw_update(state->width, &step, gradients + i * state->width,
                              state->moment1 + first, state->moment2 + first, table + first);
    }
}
