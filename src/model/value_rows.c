#include "model/value_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "simd/simd.h"

mneme_status value_rows_open(struct parameter *table, mneme_error *error) {
    const size_t n_slots = table->shape[0];
    struct changed_rows *changed = table->changed = calloc(1, sizeof *changed);
    if (changed != NULL) changed->at = malloc(n_slots * sizeof *changed->at);
    if (changed == NULL || changed->at == NULL) return error_set_memory(error, table->name);
    for (size_t i = 0; i < n_slots; i++) changed->at[i] = ROW_TABLE_UNCHANGED;
    return MNEME_OK;
}

void value_rows_close(struct parameter *table) {
    if (table->changed == NULL) return;
    free(table->changed->at);
    free(table->changed->rows);
    free(table->changed);
    table->changed = NULL;
}

struct row_table value_rows_table(const struct parameter *table) {
    struct row_table rows = {.stored = parameter_stored(table)};
    if (table->changed == NULL || table->changed->n == 0) return rows;
    rows.changed_at = table->changed->at;
    rows.changed = table->changed->rows;
    return rows;
}

/* The table of a kind that has that row; *slot is the row's number in it. */
static struct parameter *table_of(const struct model *model, enum parameter_kind kind, int32_t row,
                                  int32_t *slot) {
    *slot = row;
    for (size_t i = 0; i < model->n_parameters; i++) {
        struct parameter *p = &model->parameters[i];
        if (p->kind != kind) continue;
        if ((size_t)*slot < p->shape[0]) return p;
        *slot -= (int32_t)p->shape[0];
    }
    return NULL;
}

static mneme_status make_f32(struct parameter *table, int32_t slot, mneme_error *error) {
    struct changed_rows *changed = table->changed;
    const size_t width = table->shape[1];
    if (changed == NULL || changed->at[slot] != ROW_TABLE_UNCHANGED) return MNEME_OK;
    TRY(memory_grow((void **)&changed->rows, &changed->capacity, changed->n + 1,
                    width * sizeof *changed->rows, table->name, error));
    const struct row_table rows = value_rows_table(table);
    row_table_get(simd(), &rows, width, slot, changed->rows + changed->n * width);
    changed->at[slot] = (int32_t)changed->n++;
    return MNEME_OK;
}

mneme_status value_rows_make_f32(struct model *model, size_t n, const int32_t *rows,
                                 mneme_error *error) {
    const enum parameter_kind kinds[] = {PARAMETER_VALUES, PARAMETER_VALUES_U};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t i = 0; i < n; i++) {
            int32_t slot;
            struct parameter *table = table_of(model, kinds[k], rows[i], &slot);
            if (table != NULL) TRY(make_f32(table, slot, error));
        }
    }
    return MNEME_OK;
}

float *value_row(struct model *model, enum parameter_kind kind, int32_t row) {
    int32_t slot;
    struct parameter *table = table_of(model, kind, row, &slot);
    const size_t width = table->shape[1];
    if (table->changed == NULL) return table->data + (size_t)slot * width;
    assert(table->changed->at[slot] != ROW_TABLE_UNCHANGED);
    return table->changed->rows + (size_t)table->changed->at[slot] * width;
}

void value_row_get(const struct model *model, enum parameter_kind kind, int32_t row, float *to) {
    int32_t slot;
    const struct parameter *table = table_of(model, kind, row, &slot);
    const struct row_table rows = value_rows_table(table);
    row_table_get(simd(), &rows, table->shape[1], slot, to);
}
