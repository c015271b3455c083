#include "simd/vec.h"

/* Rows of a big table read and written by index. */

#define BLOCK 4 /* vectors that are kept in registers while the rows go by */

/* Chain over the rows of one block of columns. `vectors` is a constant at every call. */
static inline __attribute__((always_inline)) void gather_block(const size_t vectors, size_t n,
                                                               size_t width, const float *weights,
                                                               const int32_t *slots,
                                                               const float *table, vf *sums) {
    for (size_t r = 0; r < n; r++) {
        const float *row = table + (size_t)slots[r] * width;
        vf weight = vf_set1(weights[r]);
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            sums[v] = vf_fma(weight, vf_load(row + v * SIMD_LANES), sums[v]);
        }
    }
}

void SIMD_FN(gather_rows)(size_t n, size_t width, const float *weights, const int32_t *slots,
                          const float *table, float *output) {
    size_t j = 0;
    for (; j + BLOCK * SIMD_LANES <= width; j += BLOCK * SIMD_LANES) {
        vf sums[BLOCK] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
        gather_block(BLOCK, n, width, weights, slots, table + j, sums);
        for (size_t v = 0; v < BLOCK; v++) vf_store(output + j + v * SIMD_LANES, sums[v]);
    }
    for (; j < width; j += SIMD_LANES) {
        size_t rest = width - j;
        vf sum = vf_zero();
        if (rest >= SIMD_LANES) {
            gather_block(1, n, width, weights, slots, table + j, &sum);
            vf_store(output + j, sum);
            continue;
        }
        for (size_t r = 0; r < n; r++) {
            const float *row = table + (size_t)slots[r] * width + j;
            sum = vf_fma(vf_set1(weights[r]), vf_load_part(row, rest, 0.0f), sum);
        }
        vf_store_part(output + j, sum, rest);
    }
}

void SIMD_FN(gather_dots)(size_t n, size_t width, const int32_t *slots, const float *table,
                          const float *x, float *products) {
    for (size_t r = 0; r < n; r++) {
        products[r] = SIMD_FN(reduce_dot)(width, table + (size_t)slots[r] * width, x);
    }
}

void SIMD_FN(scatter_row)(size_t n, size_t width, const float *coefficients, const int32_t *indices,
                          const float *source, size_t source_stride, float *row) {
    for (size_t j = 0; j < width; j += SIMD_LANES) {
        size_t rest = width - j < SIMD_LANES ? width - j : SIMD_LANES;
        bool whole = rest == SIMD_LANES;
        vf sum = whole ? vf_load(row + j) : vf_load_part(row + j, rest, 0.0f);
        for (size_t e = 0; e < n; e++) {
            const float *from = source + (size_t)indices[e] * source_stride + j;
            vf lanes = whole ? vf_load(from) : vf_load_part(from, rest, 0.0f);
            sum = vf_fma(vf_set1(coefficients[e]), lanes, sum);
        }
        if (whole) {
            vf_store(row + j, sum);
        } else {
            vf_store_part(row + j, sum, rest);
        }
    }
}
