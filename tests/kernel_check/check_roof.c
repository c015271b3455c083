/* The kernels that measure the machine's limits. */

#include <math.h>
#include <stdlib.h>

#include "kernel_check/check.h"

void check_fma_chains(struct check *check) {
    for (size_t n_chains = 0; n_chains < 40; n_chains++) {
        size_t n = check_random(check, 20);
        check_begin(check, n_chains, n, 0);
        struct buffer x = check_filled(check, KIND_HARD, n_chains * 16);
        struct buffer other = check_copy(&x), plain = check_copy(&x);
        for (size_t i = 0; i < n_chains * 16; i++) {
            for (size_t step = 0; step < n; step++) {
                plain.data[i] = fmaf(plain.data[i], 0.7f, 0.1f);
            }
        }
        check->scalar->fma_chains(n_chains, n, 0.7f, 0.1f, x.data);
        check->other->fma_chains(n_chains, n, 0.7f, 0.1f, other.data);
        check_same(check, &plain, &x, "scalar against a plain loop", n_chains, n, 0);
        check_same(check, &x, &other, "chains", n_chains, n, 0);
        buffer_free(&x);
        buffer_free(&other);
        buffer_free(&plain);
    }
}

static float sum_rows_by_definition(size_t n, size_t width, const int32_t *slots,
                                    const float *table) {
    float sums[4][16] = {{0}};
    for (size_t r = 0; r < n; r++) {
        for (size_t j = 0; j < width; j++) {
            sums[r % 4][j % 16] += table[(size_t)slots[r] * width + j];
        }
    }
    for (int i = 0; i < 16; i++) {
        sums[0][i] = (sums[0][i] + sums[1][i]) + (sums[2][i] + sums[3][i]);
    }
    for (int half = 8; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) sums[0][i] += sums[0][i + half];
    }
    return sums[0][0];
}

void check_sum_rows(struct check *check) {
    for (size_t s = 0; s < check_n_sizes; s++) {
        size_t width = check_size(check, s);
        int32_t slots[32];
        struct buffer table = check_filled(check, KIND_NORMAL, 8 * width);
        for (size_t n = 0; n <= 32; n++) {
            for (size_t r = 0; r < n; r++) slots[r] = (int32_t)check_random(check, 8);
            float scalar = check->scalar->sum_rows(n, width, slots, table.data);
            check_same_value(check, sum_rows_by_definition(n, width, slots, table.data), scalar,
                             "scalar against the definition", width);
            check_same_value(check, scalar, check->other->sum_rows(n, width, slots, table.data),
                             "sum", width);
        }
        buffer_free(&table);
    }
}
