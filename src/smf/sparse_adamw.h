#ifndef SMF_SPARSE_ADAMW_H
#define SMF_SPARSE_ADAMW_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "nn/adamw.h"

/* AdamW for a few rows of a table at a time. A row's moments decay, and its bias correction counts,
 * only in the steps that change the row: rows that are never changed have no state, and the pages
 * of memory that hold it are never touched. */
struct sparse_adamw {
    size_t width;
    float *moment1, *moment2; /* [n_rows, width] */
    int32_t *n_updates;       /* [n_rows] */
};

mneme_status sparse_adamw_open(struct sparse_adamw *state, size_t n_rows, size_t width,
                               mneme_error *error);
void sparse_adamw_close(struct sparse_adamw *state);

/* One step for n different rows of table [n_rows, width], with their gradients [n, width]. */
void sparse_adamw_update(struct sparse_adamw *state, const struct adamw_settings *settings,
                         float lr, size_t n, const int32_t *rows, const float *gradients,
                         float *table);

#endif
