#include "interchange/hf_layout.h"

#include <stdio.h>
#include <string.h>

void hf_layout_name(const struct parameter *p, char theirs[FOREIGN_NAME_SIZE]) {
    if (p->hf_name == NULL) {
        snprintf(theirs, FOREIGN_NAME_SIZE, "model.%s", p->name);
    } else if (strncmp(p->name, "layers.", strlen("layers.")) == 0) {
        snprintf(theirs, FOREIGN_NAME_SIZE, "model.layers.%zu.%s", p->layer, p->hf_name);
    } else {
        snprintf(theirs, FOREIGN_NAME_SIZE, "%s", p->hf_name);
    }
}

/* The row, within a head, where the row of a pair stands when the halves are split. */
static size_t split_row(size_t row, size_t head_dim) {
    return row % 2 * (head_dim / 2) + row / 2;
}

void hf_layout_pair_rows(size_t heads, size_t head_dim, size_t columns,
                         const float *restrict halves, float *restrict pairs) {
    for (size_t i = 0; i < heads * head_dim; i++) {
        size_t from = i / head_dim * head_dim + split_row(i % head_dim, head_dim);
        memcpy(pairs + i * columns, halves + from * columns, columns * sizeof *pairs);
    }
}

void hf_layout_split_rows(size_t heads, size_t head_dim, size_t columns,
                          const float *restrict pairs, float *restrict halves) {
    for (size_t i = 0; i < heads * head_dim; i++) {
        size_t to = i / head_dim * head_dim + split_row(i % head_dim, head_dim);
        memcpy(halves + to * columns, pairs + i * columns, columns * sizeof *halves);
    }
}
