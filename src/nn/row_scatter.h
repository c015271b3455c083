#ifndef NN_ROW_SCATTER_H
#define NN_ROW_SCATTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* Adding many weighted vectors into few rows of a table, in an order that does not depend on
 * threads (rule 5): the contributions to a row form one chain, in the order in which they were
 * listed. Work and memory grow with the contributions, not with the table. */
struct row_scatter {
    size_t capacity;     /* contributions */
    int32_t *rows;       /* [capacity] in: the row that contribution e goes to */
    float *coefficients; /* [capacity] in: its factor */
    int32_t *sources;    /* [capacity] in: the source vector that it takes */
    /* Made by row_scatter_sort: */
    size_t n_groups;
    int32_t *group_rows;  /* [capacity] the different rows, ascending */
    size_t *group_starts; /* [capacity + 1] a group's contributions in the sorted order */
    float *sorted_coefficients;
    int32_t *sorted_sources;
    const uint64_t *sorted; /* order or spare, whichever has the result */
    /* Radix sort: */
    uint64_t *order, *spare; /* [capacity] row << 32 | contribution */
    size_t n_threads;
    size_t *counts; /* [n_threads, digits] */
    struct arena arena;
};

mneme_status row_scatter_open(struct row_scatter *scatter, size_t capacity, mneme_error *error);
void row_scatter_close(struct row_scatter *scatter);

/* Groups the first n contributions by row, keeping their order within a row. n_table_rows bounds
 * the row numbers. */
void row_scatter_sort(struct row_scatter *scatter, size_t n, size_t n_table_rows);

/* Puts new coefficients, listed as before, into the same sorted order. */
void row_scatter_weigh(struct row_scatter *scatter);

/* For every group: table[row, :] continues as the chain of coefficient * source[index, :]. Rows of
 * `table` are `width` floats, rows of `source` source_stride apart. */
void row_scatter_add(const struct row_scatter *scatter, size_t width, const float *source,
                     size_t source_stride, float *table);

/* The same sum for the chosen groups alone, into compact[i, :] for group groups[i], from 0. */
void row_scatter_compact(const struct row_scatter *scatter, size_t n_chosen, const size_t *groups,
                         size_t width, const float *source, size_t source_stride, float *compact);

#endif
