#ifndef NN_ROW_TABLE_H
#define NN_ROW_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "simd/simd.h"

/* A table of rows that may be stored in 16 bits. Rows of such a table that have changed are f32,
 * in a place of their own, and read there. */
struct row_table {
    struct stored stored;      /* [n_rows, width] */
    const int32_t *changed_at; /* [n_rows] the row of `changed` that is a row now, or
                                  ROW_TABLE_UNCHANGED; NULL: all are unchanged */
    const float *changed;      /* [rows, width] */
};
#define ROW_TABLE_UNCHANGED (-1)

static inline struct row_table row_table_f32(const float *table) {
    return (struct row_table){.stored = stored_f32(table)};
}

/* output [width] = chain over r < n of weights[r] * row slots[r], as the kernel gather_rows. */
void row_table_gather(const struct simd_kernels *kernels, const struct row_table *table, size_t n,
                      size_t width, const float *weights, const int32_t *slots, float *output);
/* products[r] = canonical dot(row slots[r], x), as the kernel gather_dots. */
void row_table_dots(const struct simd_kernels *kernels, const struct row_table *table, size_t n,
                    size_t width, const int32_t *slots, const float *x, float *products);
/* row [width] = the row of that slot, widened. */
void row_table_get(const struct simd_kernels *kernels, const struct row_table *table, size_t width,
                   int32_t slot, float *row);

#endif
