#include "simd/vec.h"

/* Rows of a big table read and written by index. Memory sets the pace: the rows that come next are
 * prefetched while some are worked on, and every row is passed through once, from end to end. */

#define TOGETHER 4 /* rows per pass over what they are added to */

/* Rows for one pass, and those that a later pass will want; only hints. */
struct pass {
    const float *rows[TOGETHER];
    const float *ahead[TOGETHER];
};

INLINE void prefetch(const float *const *ahead, size_t n, size_t j) {
#pragma GCC unroll 4
    for (size_t r = 0; r < n; r++) __builtin_prefetch(ahead[r] + j);
}

/* to += the chain over the pass's rows; from 0 when `first`. n is a constant at every call. */
INLINE void add_rows(const size_t n, size_t width, const float *weights, const struct pass *pass,
                     bool first, float *to) {
    vf factors[TOGETHER];
#pragma GCC unroll 4
    for (size_t r = 0; r < n; r++) factors[r] = vf_set1(weights[r]);
    size_t j = 0;
    for (; j + SIMD_LANES <= width; j += SIMD_LANES) {
        vf sum = first ? vf_zero() : vf_load(to + j);
        prefetch(pass->ahead, n, j);
#pragma GCC unroll 4
        for (size_t r = 0; r < n; r++) sum = vf_fma(factors[r], vf_load(pass->rows[r] + j), sum);
        vf_store(to + j, sum);
    }
    if (j == width) return;
    size_t rest = width - j;
    vf sum = first ? vf_zero() : vf_load_part(to + j, rest, 0.0f);
    for (size_t r = 0; r < n; r++) {
        sum = vf_fma(factors[r], vf_load_part(pass->rows[r] + j, rest, 0.0f), sum);
    }
    vf_store_part(to + j, sum, rest);
}

/* The pass over rows first.. of a list, with the rows TOGETHER later on their way. */
INLINE struct pass table_pass(const size_t count, size_t first, size_t n, const int32_t *indices,
                              const float *table, size_t stride) {
    struct pass pass = {{0}, {0}};
#pragma GCC unroll 4
    for (size_t r = 0; r < count; r++) {
        size_t later = first + r + TOGETHER;
        pass.rows[r] = table + (size_t)indices[first + r] * stride;
        pass.ahead[r] = later < n ? table + (size_t)indices[later] * stride : pass.rows[r];
    }
    return pass;
}

/* The chain over n rows of a table, from 0 or from what `to` holds. */
INLINE void add_list(size_t n, size_t width, const float *weights, const int32_t *indices,
                     const float *table, size_t stride, bool from_zero, float *to) {
    size_t r = 0;
    for (; r + TOGETHER <= n; r += TOGETHER) {
        struct pass pass = table_pass(TOGETHER, r, n, indices, table, stride);
        add_rows(TOGETHER, width, weights + r, &pass, from_zero && r == 0, to);
    }
    for (; r < n; r++) {
        struct pass pass = table_pass(1, r, n, indices, table, stride);
        add_rows(1, width, weights + r, &pass, from_zero && r == 0, to);
    }
}

void SIMD_FN(gather_rows)(size_t n, size_t width, const float *weights, const int32_t *slots,
                          const float *table, float *output) {
    if (n == 0) {
        for (size_t j = 0; j < width; j++) output[j] = 0.0f;
    }
    add_list(n, width, weights, slots, table, width, true, output);
}

void SIMD_FN(scatter_row)(size_t n, size_t width, const float *coefficients, const int32_t *indices,
                          const float *source, size_t source_stride, float *row) {
    add_list(n, width, coefficients, indices, source, source_stride, false, row);
}

/* Dot products of x with the pass's rows, each in the order of reduce_dot. */
INLINE void dot_rows(const size_t n, size_t width, const struct pass *pass, const float *x,
                     float *products) {
    vf sums[TOGETHER];
#pragma GCC unroll 4
    for (size_t r = 0; r < n; r++) sums[r] = vf_zero();
    size_t j = 0;
    for (; j + SIMD_LANES <= width; j += SIMD_LANES) {
        vf lanes = vf_load(x + j);
        prefetch(pass->ahead, n, j);
#pragma GCC unroll 4
        for (size_t r = 0; r < n; r++) sums[r] = vf_fma(vf_load(pass->rows[r] + j), lanes, sums[r]);
    }
    if (j < width) {
        vf lanes = vf_load_part(x + j, width - j, 0.0f);
        for (size_t r = 0; r < n; r++) {
            sums[r] = vf_fma(vf_load_part(pass->rows[r] + j, width - j, 0.0f), lanes, sums[r]);
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < n; r++) products[r] = vf_fold_add(sums[r]);
}

void SIMD_FN(gather_dots)(size_t n, size_t width, const int32_t *slots, const float *table,
                          const float *x, float *products) {
    size_t r = 0;
    for (; r + TOGETHER <= n; r += TOGETHER) {
        struct pass pass = table_pass(TOGETHER, r, n, slots, table, width);
        dot_rows(TOGETHER, width, &pass, x, products + r);
    }
    for (; r < n; r++) {
        struct pass pass = table_pass(1, r, n, slots, table, width);
        dot_rows(1, width, &pass, x, products + r);
    }
}
