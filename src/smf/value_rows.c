#include "smf/value_rows.h"

#include <assert.h>

/* The table of a kind that has that row; *slot is the row's number in it. NULL: the model has no
 * such tables. */
static struct parameter *table_of(const struct model *model, enum parameter_kind kind, int32_t row,
                                  int32_t *slot) {
    const struct memory_config *memory = &model->config.memory;
    const size_t n_slots = model_n_slots(&model->config), table = (size_t)row / n_slots;
    *slot = (int32_t)((size_t)row % n_slots);
    for (size_t m = 0; m < memory->n_layers; m++) {
        const struct layer *layer = &model->layers[memory->layers[m]];
        if (layer->table_index != table) continue;
        return kind == PARAMETER_VALUES ? layer->values : layer->values_u;
    }
    return NULL;
}

mneme_status value_rows_make_f32(struct model *model, size_t n, const int32_t *rows,
                                 mneme_error *error) {
    const enum parameter_kind kinds[] = {PARAMETER_VALUES, PARAMETER_VALUES_U};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t i = 0; i < n; i++) {
            int32_t slot;
            struct parameter *table = table_of(model, kinds[k], rows[i], &slot);
            if (table == NULL || table->changed == NULL) continue;
            TRY(changed_rows_add(table->changed, table->narrow, table->shape[1], slot, error));
        }
    }
    return MNEME_OK;
}

float *value_row(struct model *model, enum parameter_kind kind, int32_t row) {
    int32_t slot;
    struct parameter *table = table_of(model, kind, row, &slot);
    const size_t width = table->shape[1];
    if (table->changed == NULL) return table->data + (size_t)slot * width;
    assert(table->changed->at[slot] != ROW_UNCHANGED);
    return table->changed->rows + (size_t)table->changed->at[slot] * width;
}

void value_row_get(const struct model *model, enum parameter_kind kind, int32_t row, float *to) {
    int32_t slot;
    const struct parameter *table = table_of(model, kind, row, &slot);
    parameter_read(table, (size_t)slot * table->shape[1], table->shape[1], to);
}
