#ifndef INTERCHANGE_HF_LAYOUT_H
#define INTERCHANGE_HF_LAYOUT_H

#include <stddef.h>

#include "interchange/foreign.h"

/* Names and order of rows in transformers' Llama and its relatives. */

void hf_layout_name(const struct parameter *parameter, char theirs[FOREIGN_NAME_SIZE]);

/* RoPE turns pairs of elements of a head: here neighbours (2i, 2i + 1), there (i, i + head_dim /
 * 2). The rows of a query or key weight [heads * head_dim, columns] are reordered so that each pair
 * is turned by the same angle. destination [heads * head_dim, columns] must not overlap source. */
void hf_layout_pair_rows(size_t heads, size_t head_dim, size_t columns,
                         const float *restrict halves, float *restrict pairs);
void hf_layout_split_rows(size_t heads, size_t head_dim, size_t columns,
                          const float *restrict pairs, float *restrict halves);

/* Whether the rows of a layer's parameter, or a vector's elements, are those of heads that RoPE
 * turns, and so have another order there. */
bool hf_layout_is_turned(const struct model *model, const struct parameter *parameter);
/* Elements of the largest such parameter. */
size_t hf_layout_largest_turned(const struct model *model);
/* Every such parameter of a model that has just been read, from their order into ours. */
mneme_status hf_layout_pair_model(struct model *model, mneme_error *error);
/* One such parameter's numbers in their order. */
void hf_layout_split(const struct model *model, const struct parameter *parameter,
                     const float *restrict pairs, float *restrict halves);

#endif
