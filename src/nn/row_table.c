#include "nn/row_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct changed_rows *changed_rows_open(size_t n_rows) {
    struct changed_rows *changed = calloc(1, sizeof *changed);
    if (changed != NULL) changed->at = malloc(n_rows * sizeof *changed->at);
    if (changed == NULL || changed->at == NULL) {
        changed_rows_close(changed);
        return NULL;
    }
    for (size_t i = 0; i < n_rows; i++) changed->at[i] = ROW_UNCHANGED;
    return changed;
}

void changed_rows_close(struct changed_rows *changed) {
    if (changed == NULL) return;
    free(changed->at);
    free(changed->rows);
    free(changed);
}

mneme_status changed_rows_add(struct changed_rows *changed, struct stored stored, size_t width,
                              int32_t row, mneme_error *error) {
    if (changed->at[row] != ROW_UNCHANGED) return MNEME_OK;
    TRY(memory_grow((void **)&changed->rows, &changed->capacity, changed->n + 1,
                    width * sizeof *changed->rows, "rows that changed", error));
    simd()->widen(width, stored_from(stored, (size_t)row * width),
                  changed->rows + changed->n * width);
    changed->at[row] = (int32_t)changed->n++;
    return MNEME_OK;
}

static bool is_unchanged(const struct row_table *table) {
    return table->changed == NULL || table->changed->n == 0;
}

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
    const bool changed = table->changed->at[slots[0]] != ROW_UNCHANGED;
    struct run run = {.rows = changed ? stored_f32(table->changed->rows) : table->stored};
    while (run.n < n && run.n < MOST_TOGETHER) {
        const int32_t at = table->changed->at[slots[run.n]];
        if ((at != ROW_UNCHANGED) != changed) break;
        run.at[run.n] = changed ? at : slots[run.n];
        run.n++;
    }
    return run;
}

void row_table_gather(const struct simd_kernels *kernels, const struct row_table *table, size_t n,
                      size_t width, const float *weights, const int32_t *slots, float *output) {
    if (is_unchanged(table)) {
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
    if (is_unchanged(table)) {
        kernels->gather_dots(n, width, slots, table->stored, x, products);
        return;
    }
    for (size_t r = 0; r < n;) {
        const struct run run = take_run(table, n - r, slots + r);
        kernels->gather_dots(run.n, width, run.at, run.rows, x, products + r);
        r += run.n;
    }
}

struct stored row_table_row(const struct row_table *table, size_t width, int32_t slot) {
    const int32_t at = is_unchanged(table) ? ROW_UNCHANGED : table->changed->at[slot];
    if (at == ROW_UNCHANGED) return stored_from(table->stored, (size_t)slot * width);
    return stored_f32(table->changed->rows + (size_t)at * width);
}
