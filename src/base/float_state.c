#include "base/float_state.h"

#include <omp.h>
#include <stdlib.h>

#include "base/thread_count.h"
#include "simd/simd.h"

mneme_status float_state_enter(struct float_state *state, mneme_error *error) {
    *state = (struct float_state){0};
    if (simd_problem() != NULL) return error_set(error, MNEME_BAD_INPUT, "%s", simd_problem());
    TRY(thread_count_check(error));
    state->n_threads = (size_t)omp_get_max_threads();
    state->saved = calloc(state->n_threads, sizeof *state->saved);
    if (state->saved == NULL) return error_set_memory(error, "the floating-point state");
        /* The default environment rounds to nearest and keeps subnormals. */
#pragma omp parallel num_threads((int)state->n_threads)
    {
        fegetenv(&state->saved[omp_get_thread_num()]);
        fesetenv(FE_DFL_ENV);
    }
    return MNEME_OK;
}

void float_state_leave(struct float_state *state) {
    if (state->saved == NULL) return;
#pragma omp parallel num_threads((int)state->n_threads)
    fesetenv(&state->saved[omp_get_thread_num()]);
    free(state->saved);
    *state = (struct float_state){0};
}
