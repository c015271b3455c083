#include "report/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/c_locale.h"

void table_add(struct table *table, const char *format, ...) {
    char *cell = NULL;
    struct c_locale entered = c_locale_enter();
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&cell, format, arguments) < 0) cell = NULL;
    va_end(arguments);
    c_locale_leave(entered);
    char **more = realloc(table->cells, (table->n_cells + 1) * sizeof *more);
    if (more != NULL) table->cells = more;
    if (cell == NULL || more == NULL) {
        table->failed = true;
        free(cell);
        return;
    }
    table->cells[table->n_cells++] = cell;
}

/* Characters of UTF-8. */
static size_t width_of(const char *cell) {
    size_t width = 0;
    for (; *cell != '\0'; cell++) width += ((unsigned char)*cell & 0xc0) != 0x80;
    return width;
}

static size_t column_width(const struct table *table, size_t column) {
    size_t widest = table->least_widths == NULL ? 0 : table->least_widths[column];
    for (size_t i = column; i < table->n_cells; i += table->n_columns) {
        size_t width = width_of(table->cells[i]);
        if (width > widest) widest = width;
    }
    return widest;
}

void table_print(const struct table *table, struct text *text) {
    text->failed |= table->failed;
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t column = i % table->n_columns;
        const char *cell = table->cells[i];
        int padding = (int)(column_width(table, column) - width_of(cell));
        if (column == 0) {
            text_add(text, "%s%*s", cell, padding, "");
        } else if (table->last_is_text && column + 1 == table->n_columns) {
            text_add(text, "  %s", cell);
        } else {
            text_add(text, "  %*s%s", padding, "", cell);
        }
        if (column + 1 == table->n_columns) text_add(text, "\n");
    }
}

void table_print_markdown(const struct table *table, struct text *text) {
    text->failed |= table->failed;
    for (size_t i = 0; i < table->n_cells; i++) {
        text_add(text, "| %s ", table->cells[i]);
        if ((i + 1) % table->n_columns != 0) continue;
        text_add(text, "|\n");
        if (i + 1 != table->n_columns) continue;
        for (size_t c = 0; c < table->n_columns; c++) {
            bool is_text =
                table->all_is_text || c == 0 || (table->last_is_text && c + 1 == table->n_columns);
            text_add(text, is_text ? "|---" : "|---:");
        }
        text_add(text, "|\n");
    }
}

void table_free(struct table *table) {
    for (size_t i = 0; i < table->n_cells; i++) free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}
