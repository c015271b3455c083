#ifndef INTERCHANGE_HF_LAYOUT_H
#define INTERCHANGE_HF_LAYOUT_H

#include <stddef.h>

#include "interchange/foreign.h"

/* Names and order of rows in transformers' Llama. */

void hf_layout_name(const struct parameter *parameter, char theirs[FOREIGN_NAME_SIZE]);

/* RoPE turns pairs of elements of a head: here neighbours (2i, 2i + 1), there (i, i + head_dim /
 * 2). The rows of a query or key weight [heads * head_dim, columns] are reordered so that each pair
 * is turned by the same angle. destination [heads * head_dim, columns] must not overlap source. */
void hf_layout_pair_rows(size_t heads, size_t head_dim, size_t columns,
                         const float *restrict halves, float *restrict pairs);
void hf_layout_split_rows(size_t heads, size_t head_dim, size_t columns,
                          const float *restrict pairs, float *restrict halves);

#endif
