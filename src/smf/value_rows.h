#ifndef SMF_VALUE_ROWS_H
#define SMF_VALUE_ROWS_H

#include "base/error.h"
#include "model/model.h"

/* The rows of a model's value tables, for those who read and change some of them. A row's number
 * counts the slots of all tables of a kind: table * n_slots + slot. Tables of 16 bits stay in their
 * file; a row that changes is f32 from then on. */

/* Makes n rows, of values and of values_u, rows that value_row can give. */
mneme_status value_rows_make_f32(struct model *model, size_t n, const int32_t *rows,
                                 mneme_error *error);
/* Such a row, to be changed; any row of an f32 table is one. Holds until the next call of
 * value_rows_make_f32. */
float *value_row(struct model *model, enum parameter_kind kind, int32_t row);

/* to [v_dim] := any row, widened. */
void value_row_get(const struct model *model, enum parameter_kind kind, int32_t row, float *to);

#endif
