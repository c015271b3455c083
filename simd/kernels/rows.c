#include "simd/vec.h"

/* Rows of a big table read and written by index. Memory sets the pace: the rows that come next are
 * prefetched while some are worked on, and every row is passed through once, from end to end. */

#define TOGETHER 4 /* rows per pass over what they are added to */

/* Rows for one pass, and those that a later pass will want; only hints. */
struct pass {
    const char *rows[TOGETHER];
    const char *ahead[TOGETHER];
};

/* A table whose type is a constant at every call. */
struct table {
    enum stored_type type;
    const void *data;
    size_t stride;
};

INLINE vf row_part(const enum stored_type type, const char *row, size_t j, size_t n) {
    row = stored_place(type, row, j);
    return n >= SIMD_LANES ? vf_load_stored(type, row) : vf_load_stored_part(type, row, n);
}

INLINE void prefetch(const enum stored_type type, const char *const *ahead, size_t n, size_t j) {
#pragma GCC unroll 4
    for (size_t r = 0; r < n; r++) __builtin_prefetch(stored_place(type, ahead[r], j));
}

/* to += the chain over the pass's rows; from 0 when `first`. n is a constant at every call. */
INLINE void add_rows(const enum stored_type type, const size_t n, size_t width,
                     const float *weights, const struct pass *pass, bool first, float *to) {
    vf factors[TOGETHER];
#pragma GCC unroll 4
    for (size_t r = 0; r < n; r++) factors[r] = vf_set1(weights[r]);
    size_t j = 0;
    for (; j + SIMD_LANES <= width; j += SIMD_LANES) {
        vf sum = first ? vf_zero() : vf_load(to + j);
        prefetch(type, pass->ahead, n, j);
#pragma GCC unroll 4
        for (size_t r = 0; r < n; r++) {
            sum = vf_fma(factors[r], row_part(type, pass->rows[r], j, SIMD_LANES), sum);
        }
        vf_store(to + j, sum);
    }
    if (j == width) return;
    size_t rest = width - j;
    vf sum = first ? vf_zero() : vf_load_part(to + j, rest, 0.0f);
    for (size_t r = 0; r < n; r++) {
        sum = vf_fma(factors[r], row_part(type, pass->rows[r], j, rest), sum);
    }
    vf_store_part(to + j, sum, rest);
}

/* The pass over rows first.. of a list, with the rows TOGETHER later on their way. */
INLINE struct pass table_pass(const size_t count, size_t first, size_t n, const int32_t *indices,
                              const struct table *table) {
    struct pass pass = {{0}, {0}};
#pragma GCC unroll 4
    for (size_t r = 0; r < count; r++) {
        size_t later = first + r + TOGETHER;
        pass.rows[r] =
            stored_place(table->type, table->data, (size_t)indices[first + r] * table->stride);
        pass.ahead[r] = later < n ? stored_place(table->type, table->data,
                                                 (size_t)indices[later] * table->stride)
                                  : pass.rows[r];
    }
    return pass;
}

/* The chain over n rows of a table, from 0 or from what `to` holds. */
INLINE void add_list(size_t n, size_t width, const float *weights, const int32_t *indices,
                     const struct table *table, bool from_zero, float *to) {
    const enum stored_type type = table->type;
    size_t r = 0;
    for (; r + TOGETHER <= n; r += TOGETHER) {
        struct pass pass = table_pass(TOGETHER, r, n, indices, table);
        add_rows(type, TOGETHER, width, weights + r, &pass, from_zero && r == 0, to);
    }
    for (; r < n; r++) {
        struct pass pass = table_pass(1, r, n, indices, table);
        add_rows(type, 1, width, weights + r, &pass, from_zero && r == 0, to);
    }
}

/* The one choice of a type in a chain over rows. */
static void add_list_of(size_t n, size_t width, const float *weights, const int32_t *indices,
                        struct stored stored, size_t stride, bool from_zero, float *to) {
    const struct table floats = {STORED_F32, stored.data, stride};
    const struct table bf16 = {STORED_BF16, stored.data, stride};
    const struct table f16 = {STORED_F16, stored.data, stride};
    if (stored.type == STORED_BF16) {
        add_list(n, width, weights, indices, &bf16, from_zero, to);
    } else if (stored.type == STORED_F16) {
        add_list(n, width, weights, indices, &f16, from_zero, to);
    } else {
        add_list(n, width, weights, indices, &floats, from_zero, to);
    }
}

void SIMD_FN(gather_rows)(size_t n, size_t width, const float *weights, const int32_t *slots,
                          struct stored table, float *output) {
    if (n == 0) {
        for (size_t j = 0; j < width; j++) output[j] = 0.0f;
    }
    add_list_of(n, width, weights, slots, table, width, true, output);
}

void SIMD_FN(scatter_row)(size_t n, size_t width, const float *coefficients, const int32_t *indices,
                          struct stored source, size_t source_stride, float *row) {
    add_list_of(n, width, coefficients, indices, source, source_stride, false, row);
}

/* Dot products of x with the pass's rows, each in the order of reduce_dot. */
INLINE void dot_rows(const enum stored_type type, const size_t n, size_t width,
                     const struct pass *pass, const float *x, float *products) {
    vf sums[TOGETHER];
#pragma GCC unroll 4
    for (size_t r = 0; r < n; r++) sums[r] = vf_zero();
    size_t j = 0;
    for (; j + SIMD_LANES <= width; j += SIMD_LANES) {
        vf lanes = vf_load(x + j);
        prefetch(type, pass->ahead, n, j);
#pragma GCC unroll 4
        for (size_t r = 0; r < n; r++) {
            sums[r] = vf_fma(row_part(type, pass->rows[r], j, SIMD_LANES), lanes, sums[r]);
        }
    }
    if (j < width) {
        vf lanes = vf_load_part(x + j, width - j, 0.0f);
        for (size_t r = 0; r < n; r++) {
            sums[r] = vf_fma(row_part(type, pass->rows[r], j, width - j), lanes, sums[r]);
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < n; r++) products[r] = vf_fold_add(sums[r]);
}

INLINE void dot_list(size_t n, size_t width, const int32_t *slots, const struct table *table,
                     const float *x, float *products) {
    size_t r = 0;
    for (; r + TOGETHER <= n; r += TOGETHER) {
        struct pass pass = table_pass(TOGETHER, r, n, slots, table);
        dot_rows(table->type, TOGETHER, width, &pass, x, products + r);
    }
    for (; r < n; r++) {
        struct pass pass = table_pass(1, r, n, slots, table);
        dot_rows(table->type, 1, width, &pass, x, products + r);
    }
}

void SIMD_FN(gather_dots)(size_t n, size_t width, const int32_t *slots, struct stored stored,
                          const float *x, float *products) {
    const struct table floats = {STORED_F32, stored.data, width};
    const struct table bf16 = {STORED_BF16, stored.data, width};
    const struct table f16 = {STORED_F16, stored.data, width};
    if (stored.type == STORED_BF16) {
        dot_list(n, width, slots, &bf16, x, products);
    } else if (stored.type == STORED_F16) {
        dot_list(n, width, slots, &f16, x, products);
    } else {
        dot_list(n, width, slots, &floats, x, products);
    }
}

INLINE void widen_numbers(const enum stored_type type, size_t n, const void *x, float *y) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) vf_store(y + i, row_part(type, x, i, SIMD_LANES));
    if (i < n) vf_store_part(y + i, row_part(type, x, i, n - i), n - i);
}

void SIMD_FN(widen)(size_t n, struct stored x, float *y) {
    if (x.type == STORED_BF16) {
        widen_numbers(STORED_BF16, n, x.data, y);
    } else if (x.type == STORED_F16) {
        widen_numbers(STORED_F16, n, x.data, y);
    } else {
        widen_numbers(STORED_F32, n, x.data, y);
    }
}
