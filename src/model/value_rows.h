#ifndef MODEL_VALUE_ROWS_H
#define MODEL_VALUE_ROWS_H

#include "base/error.h"
#include "model/model.h"

/* The rows of a model's value tables, for those who read and change some of them. A row's number
 * counts the slots of all tables of a kind: table * n_slots + slot. Tables of 16 bits stay in their
 * file; a row that changes is f32 from then on. */

/* Rows of a table that are f32 now, in the order in which they became so. */
struct changed_rows {
    int32_t *at; /* [n_slots] the row's place in `rows`, or ROW_TABLE_UNCHANGED */
    float *rows; /* [n, v_dim] */
    size_t n, capacity;
};

/* For a parameter that is a value table of 16 bits. */
mneme_status value_rows_open(struct parameter *table, mneme_error *error);
/* Does nothing to other parameters. */
void value_rows_close(struct parameter *table);

/* A table as it is read. It holds until a row changes that did not before. */
struct row_table value_rows_table(const struct parameter *table);

/* Makes n rows, of values and of values_u, rows that value_row can give. */
mneme_status value_rows_make_f32(struct model *model, size_t n, const int32_t *rows,
                                 mneme_error *error);
/* Such a row, to be changed; any row of an f32 table is one. Holds until the next call of
 * value_rows_make_f32. */
float *value_row(struct model *model, enum parameter_kind kind, int32_t row);

/* to [v_dim] := any row, widened. */
void value_row_get(const struct model *model, enum parameter_kind kind, int32_t row, float *to);

#endif
