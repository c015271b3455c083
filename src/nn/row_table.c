#include "nn/row_table.h"

#include <stdbool.h>
#include <string.h>

/* Reads of one kind after the other that are handed to a kernel at once, at most. */
#define MOST_TOGETHER 64

/* Reads that follow each other and find their rows in the same place. */
struct run {
    size_t n;
    struct stored rows;
    int32_t at[MOST_TOGETHER]; /* [n] in `rows` */
};

/* The run that begins a list of n slots, n > 0. */
static struct run take_run(const struct row_table *table, size_t n, const int32_t *slots) {
    const bool changed = table->changed_at[slots[0]] != ROW_TABLE_UNCHANGED;
    struct run run = {.rows = changed ? stored_f32(table->changed) : table->stored};
    while (run.n < n && run.n < MOST_TOGETHER) {
        const int32_t at = table->changed_at[slots[run.n]];
        if ((at != ROW_TABLE_UNCHANGED) != changed) break;
        run.at[run.n] = changed ? at : slots[run.n];
        run.n++;
    }
    return run;
}

void row_table_gather(const struct simd_kernels *kernels, const struct row_table *table, size_t n,
                      size_t width, const float *weights, const int32_t *slots, float *output) {
    if (table->changed_at == NULL) {
        kernels->gather_rows(n, width, weights, slots, table->stored, output);
        return;
    }
    memset(output, 0, width * sizeof *output);
    for (size_t r = 0; r < n;) {
        const struct run run = take_run(table, n - r, slots + r);
        kernels->scatter_row(run.n, width, weights + r, run.at, run.rows, width, output);
        r += run.n;
    }
}

void row_table_dots(const struct simd_kernels *kernels, const struct row_table *table, size_t n,
                    size_t width, const int32_t *slots, const float *x, float *products) {
    if (table->changed_at == NULL) {
        kernels->gather_dots(n, width, slots, table->stored, x, products);
        return;
    }
    for (size_t r = 0; r < n;) {
        const struct run run = take_run(table, n - r, slots + r);
        kernels->gather_dots(run.n, width, run.at, run.rows, x, products + r);
        r += run.n;
    }
}

void row_table_get(const struct simd_kernels *kernels, const struct row_table *table, size_t width,
                   int32_t slot, float *row) {
    const int32_t at = table->changed_at == NULL ? ROW_TABLE_UNCHANGED : table->changed_at[slot];
    if (at == ROW_TABLE_UNCHANGED) {
        kernels->widen(width, stored_from(table->stored, (size_t)slot * width), row);
    } else {
        memcpy(row, table->changed + (size_t)at * width, width * sizeof *row);
    }
}
