#ifndef SMF_SPARSE_ADAMW_H
#define SMF_SPARSE_ADAMW_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "nn/adamw.h"

/* AdamW for a few rows of a table at a time. Rows that were never chosen have no state, and the
 * pages of memory that hold it are never touched. */
struct sparse_adamw {
    size_t width;
    float *moment1, *moment2; /* [n_rows, width] */
    int32_t *n_updates;       /* [n_rows] steps that chose the row; dense: the last of them */
    size_t n_touched;         /* rows that were ever chosen */
    int32_t *touched;         /* [n_rows] these */
    float *zeros;             /* [width] */
};

mneme_status sparse_adamw_open(struct sparse_adamw *state, size_t n_rows, size_t width,
                               mneme_error *error);
void sparse_adamw_close(struct sparse_adamw *state);

/* A table whose rows lie anywhere: each [width]. */
struct sparse_table {
    float *(*row)(const struct sparse_table *table, int32_t row);
};

/* One step for n different rows of a table, with their gradients [n, width]. A row's
 * moments decay, and its bias correction counts, in its own steps alone. */
void sparse_adamw_update(struct sparse_adamw *state, const struct adamw_settings *settings,
                         float lr, size_t n, const int32_t *rows, const float *gradients,
                         const struct sparse_table *table);

/* The step number n_updates, from 1, of an AdamW over the whole table whose gradient is zero in all
 * other rows: rows that earlier steps chose go on moving by their moments, which decay. Without
 * weight decay no other row moves. */
void sparse_adamw_update_dense(struct sparse_adamw *state, const struct adamw_settings *settings,
                               float lr, size_t n_updates, size_t n, const int32_t *rows,
                               const float *gradients, const struct sparse_table *table);

#endif
