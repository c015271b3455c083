#include "simd/vec.h"

/* What the machine can do at best, for comparison: arithmetic that never leaves the registers, and
 * reading that does nothing with what it reads. */

/* As many chains at a time as the matrix tile has accumulators: enough to keep the multipliers
 * busy, and all in registers. */
#define CHAINS ((size_t)VF_GEMM_ROWS * VF_GEMM_VECTORS)

INLINE void run_chains(const size_t n_chains, size_t n, vf factor, vf summand, float *x) {
    vf chains[CHAINS];
#pragma GCC unroll 32
    for (size_t c = 0; c < n_chains; c++) chains[c] = vf_load(x + c * SIMD_LANES);
    for (size_t i = 0; i < n; i++) {
#pragma GCC unroll 32
        for (size_t c = 0; c < n_chains; c++) chains[c] = vf_fma(chains[c], factor, summand);
    }
#pragma GCC unroll 32
    for (size_t c = 0; c < n_chains; c++) vf_store(x + c * SIMD_LANES, chains[c]);
}

void SIMD_FN(fma_chains)(size_t n_chains, size_t n, float factor, float summand, float *x) {
    vf factors = vf_set1(factor), summands = vf_set1(summand);
    size_t c = 0;
    for (; c + CHAINS <= n_chains; c += CHAINS) {
        run_chains(CHAINS, n, factors, summands, x + c * SIMD_LANES);
    }
    for (; c < n_chains; c++) run_chains(1, n, factors, summands, x + c * SIMD_LANES);
}

#define TOGETHER 4 /* rows read side by side */
#define AHEAD 4    /* rows that are on their way meanwhile; only hints */

INLINE void add_row_parts(const size_t n, size_t width, const float *const *rows,
                          const float *const *ahead, vf *sums) {
    size_t j = 0;
    for (; j + SIMD_LANES <= width; j += SIMD_LANES) {
#pragma GCC unroll 4
        for (size_t r = 0; r < n; r++) {
            __builtin_prefetch(ahead[r] + j);
            sums[r] = vf_add(sums[r], vf_load(rows[r] + j));
        }
    }
    if (j == width) return;
    for (size_t r = 0; r < n; r++) {
        sums[r] = vf_add(sums[r], vf_load_part(rows[r] + j, width - j, 0.0f));
    }
}

float SIMD_FN(sum_rows)(size_t n, size_t width, const int32_t *slots, const float *table) {
    vf sums[TOGETHER] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    const float *rows[TOGETHER], *ahead[TOGETHER];
    for (size_t first = 0; first < n; first += TOGETHER) {
        size_t count = n - first < TOGETHER ? n - first : TOGETHER;
        for (size_t r = 0; r < count; r++) {
            size_t later = first + r + AHEAD;
            rows[r] = table + (size_t)slots[first + r] * width;
            ahead[r] = later < n ? table + (size_t)slots[later] * width : rows[r];
        }
        if (count == TOGETHER) {
            add_row_parts(TOGETHER, width, rows, ahead, sums);
        } else {
            for (size_t r = 0; r < count; r++) {
                add_row_parts(1, width, rows + r, ahead + r, sums + r);
            }
        }
    }
    return vf_fold_add(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3])));
}
