#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* A table of texts, built row by row: the first row is the head, the first column names the rows.
 */
struct table {
    size_t n_columns;
    bool last_is_text;                 /* the last column is aligned to the left, too */
    bool all_is_text;                  /* in Markdown, all columns do */
    const unsigned char *least_widths; /* [n_columns] in characters, or NULL */
    char **cells;                      /* [n_cells], row by row */
    size_t n_cells;
    bool failed;
};

/* Appends one cell; a row is full after n_columns of them. */
void table_add(struct table *table, const char *format, ...) MNEME_PRINTF(2, 3);

/* Adds the table to a text: aligned by spaces, names to the left and figures to the right; or as
 * Markdown. Widths count characters, not bytes. */
void table_print(const struct table *table, struct text *text);
void table_print_markdown(const struct table *table, struct text *text);

void table_free(struct table *table);

#endif
