#ifndef NN_ROW_TABLE_H
#define NN_ROW_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "simd/simd.h"

/* A table of rows [n_rows, width] that may be stored in 16 bits. Rows of such a table that have
 * changed are f32, in a place of their own, and read there. */

/* Rows that are f32 now, in the order in which they became so. */
struct changed_rows {
    int32_t *at; /* [n_rows] the row's place in `rows`, or ROW_UNCHANGED */
    float *rows; /* [n, width] */
    size_t n, capacity;
};
#define ROW_UNCHANGED (-1)

struct row_table {
    struct stored stored;
    const struct changed_rows *changed; /* NULL: none of them can */
};

/* No row has changed yet. NULL without memory. */
struct changed_rows *changed_rows_open(size_t n_rows);
/* Does nothing to NULL. */
void changed_rows_close(struct changed_rows *changed);
/* Makes a row of the table, whose changed rows these are, f32. Rows that were already may be
 * elsewhere then. */
mneme_status changed_rows_add(struct changed_rows *changed, struct stored stored, size_t width,
                              int32_t row, mneme_error *error);

static inline struct row_table row_table_f32(const float *table) {
    return (struct row_table){.stored = stored_f32(table)};
}

/* output [width] = chain over r < n of weights[r] * row slots[r], as the kernel gather_rows. */
void row_table_gather(const struct simd_kernels *kernels, const struct row_table *table, size_t n,
                      size_t width, const float *weights, const int32_t *slots, float *output);
/* products[r] = canonical dot(row slots[r], x), as the kernel gather_dots. */
void row_table_dots(const struct simd_kernels *kernels, const struct row_table *table, size_t n,
                    size_t width, const int32_t *slots, const float *x, float *products);
/* The row of that slot [width]. */
struct stored row_table_row(const struct row_table *table, size_t width, int32_t slot);

#endif
